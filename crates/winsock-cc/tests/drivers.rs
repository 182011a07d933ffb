//! The drivers as people call them, with the real compiler.
#![forbid(unsafe_code)]

mod common;

use common::{Folder, said};
use std::fs;
use std::process::{Command, Stdio};

#[test]
fn messages_name_the_original() {
    let folder = Folder::new("messages");
    // 中文 in GBK.
    folder.write("src/server.c", b"#include \"INC\\Broken.H\"\n// \xd6\xd0\xce\xc4\nint f(__in int a) { return b; }\n");
    folder.write("src/inc/broken.h", "\n\nint g(void) { return c; }\n");
    let output = folder.run("winsock-cc", &["-c", "src/server.c"]);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(said.contains("src/server.c:3:28: error: ‘b’ undeclared"), "{said}");
    assert!(said.contains("src/inc/broken.h:3:22: error: ‘c’ undeclared"), "{said}");
    assert!(!said.contains("/tmp/"), "{said}");
}

#[test]
fn a_program_of_several_files_in_every_encoding() {
    let folder = Folder::new("encodings");
    let utf_16 = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    folder.write("main.c", "\u{feff}#include \"Shared\\TEXTS.h\"\r\n#include \"shared/texts.h\"\r\nint main(void) {\r\n    puts(__FILE__); puts(gbk()); puts(wide());\r\n    return printf(\"%s\\n\", \"中\") - 4;\r\n}\r\n");
    folder.write("gbk.C", b"const char *gbk(void) { return \"\xd6\xd0\xce\xc4\"; } // \xd5\\\n#include <STDIO.H>\n");
    folder.write(
        "wide.cpp",
        utf_16("\u{feff}#include \"Shared/Texts.h\"\r\nextern \"C\" const char *wide(void) { return u8\"完成\"; }\r\n"),
    );
    folder.write("Shared/Texts.H", "#pragma once\n#include <StdIO.h>\ntypedef struct { int x; } S;\n#ifdef __cplusplus\nextern \"C\" {\n#endif\nconst char *gbk(void); const char *wide(void);\n#ifdef __cplusplus\n}\n#endif\n");
    folder.build("winsock-cc", &["main.c", "gbk.C", "wide.cpp", "-o", "texts"]);
    assert_eq!(folder.execute("texts", &[]), ("main.c\n中文\n完成\n中\n".into(), Some(0)));
    for source in ["main.c", "gbk.C", "wide.cpp"] {
        folder.build("winsock-cc", &["-c", source]);
    }
    folder.build("winsock-c++", &["main.o", "gbk.o", "wide.o", "WS2_32.lib", "-lmswsock", "-o", "linked"]);
    assert_eq!(folder.execute("linked", &[]).1, Some(0));
}

/// In the folder of the file, of those that led to it, of `-I`; then winsock's, then the system's. Each once.
#[test]
fn headers_are_found_as_windows_finds_them() {
    let folder = Folder::new("headers");
    folder.write(
        "src/main.c",
        "#include \"Inner\\A.H\"\n#include <C.h>\n#include <STRING.H>\n#include <Sys/STAT.h>\n#include <MSWSock.h>\n\
         #define NAME \"d.h\"\n#include NAME\n#if __has_include(<WINDOWS.H>) && !__has_include(\"Nothing.h\")\n\
         int main(void) { return A + B + C + D + (int)strlen(\"x\") - 11; }\n#endif\n",
    );
    folder.write("src/inner/a.h", "#pragma once\n#include \"B.h\"\n#define A 1\nenum { once };\n");
    folder.write("src/b.h", "#include \"INNER/A.h\"\n#define B 2\n");
    folder.write("src/d.h", "#define D 4\n");
    folder.write("other/C.H", "#define C 3\n#include \"../SRC/inner/../INNER/a.h\"\n");
    folder.write("arguments", "-Iother -o \"main\"\n");
    folder.build("winsock-cc", &["src/main.c", "@arguments"]);
    assert_eq!(folder.execute("main", &[]).1, Some(0));
}

/// As Microsoft's compiler is one for both languages; and what names the source does so by the original.
#[test]
fn either_driver_builds_cpp() {
    let folder = Folder::new("cpp");
    let text = "#include <iostream>\nint main() { std::cout << __BASE_FILE__ << ' ' << __FILE__ << std::endl; }\n";
    folder.write("src/a.cpp", text);
    for driver in ["winsock-cc", "winsock-c++"] {
        folder.build(driver, &["src/a.cpp", "-o", "a"]);
        assert_eq!(folder.execute("a", &[]), ("src/a.cpp src/a.cpp\n".into(), Some(0)), "{driver}");
    }
}

#[test]
fn other_encodings_are_named() {
    let folder = Folder::new("korean");
    folder.write("a.c", b"#include <stdio.h>\nint main(void) { return puts(\"\xbc\xad\xb9\xf6\") < 0; }\n");
    folder.build("winsock-cc", &["-finput-charset=CP949", "a.c", "-o", "a"]);
    assert_eq!(folder.execute("a", &[]), ("서버\n".into(), Some(0)));
}

#[test]
fn entry_points() {
    let folder = Folder::new("entries");
    let windows = "#include <windows.h>\n#include <stdio.h>\n#include <wchar.h>\n";
    let wide =
        "if (n != 3 || wcscmp(v[1], L\"gr\\u00f6\\u00dfe \\U0001f600\") || v[3]) return 1; puts(\"wide\"); return 5;";
    let cases = [
        ("void.c", "void main() { puts(\"void\"); return; }".to_owned(), "void\n", 0),
        ("void.cpp", "void __cdecl main(int n, char *v[]) { puts(v[1]); if (n) return; }".to_owned(), "größe 😀\n", 0),
        ("wmain.c", format!("int wmain(int n, wchar_t **v) {{ {wide} }}"), "wide\n", 5),
        ("wmain.cpp", format!("int wmain(int n, wchar_t *v[], wchar_t *e[]) {{ {wide} }}"), "wide\n", 5),
        ("vwmain.cpp", "void wmain() { puts(\"x\"); }".to_owned(), "x\n", 0),
        (
            "win.c",
            "int WINAPI WinMain(HINSTANCE i, HINSTANCE p, PSTR line, int show) { puts(line); return !i + !!p; }"
                .to_owned(),
            "\"größe 😀\" b\n",
            0,
        ),
        (
            "win.cpp",
            "int APIENTRY WinMain(HINSTANCE, HINSTANCE, LPSTR line, int) { puts(line); return 3; }".to_owned(),
            "\"größe 😀\" b\n",
            3,
        ),
        (
            "wwin.cpp",
            "int WINAPI wWinMain(HINSTANCE, HINSTANCE, LPWSTR line, int) { return wcslen(line) == 11 ? 0 : 1; }"
                .to_owned(),
            "",
            0,
        ),
    ];
    for (name, main, printed, code) in cases {
        folder.write(name, format!("{windows}{main}\n"));
        let driver = if name.ends_with("cpp") { "winsock-c++" } else { "winsock-cc" };
        folder.build(driver, &[name, "-o", "entry", "-lkernel32"]);
        assert_eq!(folder.execute("entry", &["größe 😀", "b"]), (printed.into(), Some(code)), "{name}");
    }
    folder.write("none.c", "int x;\n");
    folder.build("winsock-cc", &["none.c", "-o", "none"]);
    assert_eq!(
        folder.execute("none", &[]),
        ("no main, wmain, WinMain or wWinMain in this program\n".into(), Some(127))
    );
}

#[test]
fn libraries_are_found_or_named() {
    let folder = Folder::new("libraries");
    let main = "int main(void) { return 0; }\n";
    folder.write("good.c", format!("#pragma comment(lib, \"Ws2_32.lib\");\n#pragma comment(lib, \"user32\")\n{main}"));
    folder.build(
        "winsock-cc",
        &["good.c", "-o", "good", "-lws2_32", "-l", "Mswsock", "GDI32.LIB", "-Wl,-lwinmm", "libws2_32.a"],
    );

    folder.write(
        "bad.c",
        format!(
            "\n#pragma comment(lib, \"Secur32.lib\")\n#if 0\n#pragma comment(lib, \"crypt32.lib\")\n#endif\n{main}"
        ),
    );
    let said_of = |arguments: &[&str]| {
        let output = folder.run("winsock-cc", arguments);
        assert!(!output.status.success(), "{arguments:?}");
        said(&output)
    };
    let bad = said_of(&["-c", "bad.c"]);
    assert!(bad.contains("bad.c:2:") && bad.contains("Secur32.lib") && !bad.contains("crypt32"), "{bad}");
    assert!(
        said_of(&["good.c", "-lbcrypt"])
            .starts_with("winsock-cc: error: winsock has nothing of Windows's library bcrypt")
    );
    assert!(said_of(&["good.c", "other.lib"]).contains("no library other.lib: "));

    // The program's own.
    folder.write("own.c", "int own(void) { return 7; }\n");
    fs::create_dir(folder.path().join("libs")).expect("a folder");
    folder.build("winsock-cc", &["-shared", "-fPIC", "own.c", "-o", "libs/libown.so"]);
    folder.write("user.c", "#pragma comment(lib, \"own.lib\")\nint own(void);\nint main(void) { return own(); }\n");
    folder.build("winsock-cc", &["-c", "user.c"]);
    assert!(said_of(&["user.c"]).contains("no library own.lib"));
    folder.build("winsock-cc", &["user.c", "-Llibs", "-Wl,-rpath,$ORIGIN/libs", "-o", "user"]);
    assert_eq!(folder.execute("user", &[]).1, Some(7));
}

/// A header, a function and a type; each with its first place, and not what is in comments, strings, other systems' code or
/// is the program's own.
#[test]
fn a_check_names_what_is_missing() {
    let folder = Folder::new("check");
    folder.write(
        "src/main.cpp",
        b"#include <WinSock2.h>\r\n#include <SSPI.h>\r\n#include \"..\\Inc\\Own.H\"\r\n#include <vector>\r\n\
          // CreateMailslotA(); \xd6\xd0\r\nconst char *s = \"CreateMailslotA()\";\r\n\
          #if 0\r\nReportEventA();\r\n#endif\r\n#ifdef __linux__\r\n#include <nothing.h>\r\n#endif\r\n\
          int main() {\r\n    WSADATA data; WSAStartup(MAKEWORD(2, 2), &data);\r\n    Beep(1); own.GetTickCount99();\r\n\
          \x20   CreateMailslotA(s, 0, 0, 0);\r\n    HANDLE h = CreateMailslotA(s, 0, 0, 0);\r\n}\r\n",
    );
    folder.write("inc/own.h", "int Beep(int);\nextern WIN32_FIND_STREAM_DATA *found;\nstruct CredHandle { int x; };\n");
    folder.write("inc/readme.txt", "ReportEventA();\n");
    let output = folder.run("winsock-cc", &["--check", "src", "inc"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let said = said(&output);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 4, "{said}");
    assert!(lines[0].starts_with("src/main.cpp:2: header SSPI.h: not offered; "), "{said}");
    assert!(lines[1].starts_with("src/main.cpp:16: function CreateMailslotA, 2 places: not offered ("), "{said}");
    assert!(lines[1].contains("kernel32") && lines[2].contains("not offered (winbase.h); "), "{said}");
    assert!(lines[2].starts_with("inc/own.h:2: type WIN32_FIND_STREAM_DATA: "), "{said}");
    assert!(lines[3].starts_with("missing in 2 files: 1 header, 1 function, 1 type; "), "{said}");
}

#[test]
fn a_check_of_what_lacks_nothing_says_so() {
    let folder = Folder::new("check-whole");
    folder.write("a.c", "#include \"B.h\"\nint main(void) { WSACleanup(); TerminateThread(0, 0); return OWN; }\n");
    folder.write("b.h", "#include <winsock2.h>\n#define OWN 0\n");
    let output = folder.build("winsock-cc", &["a.c", "--check"]);
    let said = said(&output);
    assert!(said.contains("a.c:2: note: function TerminateThread: offered, but it always fails"), "{said}");
    assert!(said.ends_with("nothing is missing: 2 files, 2 of Windows's names, all offered\n"), "{said}");

    for arguments in [&["--check"][..], &["--check", "none.c"], &["--check", "-O2", "a.c"], &["--check", "empty"]] {
        fs::create_dir_all(folder.path().join("empty")).expect("a folder");
        assert_eq!(folder.run("winsock-cc", arguments).status.code(), Some(1), "{arguments:?}");
    }
}

#[test]
fn rules_for_make_name_the_originals() {
    let folder = Folder::new("rules");
    folder.write("my dir/a.c", "#include \"B.h\"\nint main(void) { return 0; }\n");
    folder.write("my dir/b.h", "#include <WinSock2.h>\n");
    folder.build("winsock-cc", &["-MMD", "-c", "my dir/a.c", "-o", "out.o"]);
    let rules = |name: &str| fs::read_to_string(folder.path().join(name)).expect("the rules").replace("\\\n", "");
    let words =
        |text: String| text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ").trim().to_owned();
    assert_eq!(words(rules("out.d")), "out.o: my\\ dir/a.c my\\ dir/b.h");
    folder.build("winsock-cc", &["-MMD", "-MF", "x.dep", "-MT", "target", "my dir/a.c", "-o", "a"]);
    assert_eq!(words(rules("x.dep")), "target: my\\ dir/a.c my\\ dir/b.h");
    folder.build("winsock-cc", &["-Wp,-MMD,y.dep", "-c", "my dir/a.c"]);
    assert_eq!(words(rules("y.dep")), "a.o: my\\ dir/a.c my\\ dir/b.h");
    let output = folder.build("winsock-cc", &["-MM", "my dir/a.c"]);
    assert_eq!(words(said(&output).replace("\\\n", "")), "a.o: my\\ dir/a.c my\\ dir/b.h");
}

#[test]
fn headers_included_by_option_are_translated() {
    let folder = Folder::new("forced");
    folder.write("Pch.h", b"// \xd6\xd0\n#include <WINSOCK2.H>\n#define TEXT_OF_IT \"\xd6\xd0\"\n");
    folder.write("a.c", "#include <stdio.h>\nint main(void) { return puts(TEXT_OF_IT) < 0 || __LINE__ != 2; }\n");
    folder.build("winsock-cc", &["-include", "pch.h", "a.c", "-o", "a"]);
    assert_eq!(folder.execute("a", &[]), ("中\n".into(), Some(0)));
    let output = folder.run("winsock-cc", &["-include", "none.h", "-c", "a.c"]);
    assert!(said(&output).contains("none.h: No such file"), "{}", said(&output));
}

/// `__leave`, `break` and the end of the block; the loop around it is left by `break`, not only the `__try`.
#[test]
fn exceptions_as_far_as_they_go() {
    let folder = Folder::new("exceptions");
    let text = "#include <windows.h>\n#include <stdio.h>\nint main(void) {\n\
        for (int i = 0; i < 9; i++) {\n__try { if (i == 1) __leave; if (i == 3) break; printf(\"%d \", i); }\n\
        __finally { printf(\"finally \"); }\n}\n\
        __try { __try { __leave; } __finally { printf(\"inner \"); } printf(\"outer \"); }\n\
        __except (EXCEPTION_EXECUTE_HANDLER) { printf(\"never \"); }\n\
        puts(\"\"); return 0; }\n";
    for (name, driver) in [("seh.c", "winsock-cc"), ("seh.cpp", "winsock-c++")] {
        folder.write(name, text);
        folder.build(driver, &[name, "-Wall", "-Werror", "-o", "seh"]);
        assert_eq!(
            folder.execute("seh", &[]),
            ("0 finally finally 2 finally inner outer \n".into(), Some(0)),
            "{name}"
        );
    }
}

#[test]
fn preprocessing_and_standard_input() {
    let folder = Folder::new("preprocess");
    folder.write("a.c", "#include \"B.H\"\n#ifdef _WIN32\nint x = B;\n#endif\n#ifdef __linux__\nint wrong;\n#endif\n");
    folder.write("b.h", "#define B 42\n");
    let text = said(&folder.build("winsock-cc", &["-E", "a.c"]));
    assert!(text.contains("int x = 42;") && !text.contains("wrong") && !text.contains("winsock-cc-"), "{text}");
    folder.build("winsock-cc", &["-E", "a.c", "-o", "a.i"]);
    let text = fs::read_to_string(folder.path().join("a.i")).expect("the output");
    assert!(text.contains("\"a.c\"") && text.contains("\"b.h\"") && !text.contains("winsock-cc-"), "{text}");

    let mut command = common::driver("winsock-cc");
    let mut process = command
        .args(["-E", "-dM", "-x", "c", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a driver");
    drop(process.stdin.take());
    let text = said(&process.wait_with_output().expect("a driver"));
    assert!(text.contains("#define _WIN64 1") && !text.contains("__unix__"), "{text}");
}

#[test]
fn explaining_shows_a_command_that_can_be_run() {
    let folder = Folder::new("explain");
    folder.write("it's.c", b"#include <WINSOCK2.H>\n// \xd6\xd0\nint main(void) { return 3; }\n");
    let output = folder.build("winsock-cc", &["--explain", "-O1", "it's.c", "-o", "program", "-lws2_32"]);
    let text = said(&output);
    assert!(!folder.path().join("program").exists());
    assert!(text.contains(", from GBK\n#   line 1: <WINSOCK2.H> is <winsock2.h>\n"), "{text}");
    let command = text.lines().last().expect("a command");
    assert!(command.starts_with("gcc ") && command.contains(" -O1 ") && !command.contains("ws2_32"), "{command}");
    let shell = Command::new("sh").current_dir(folder.path()).arg("-c").arg(command).output().expect("a shell");
    assert!(shell.status.success(), "{}", said(&shell));
    assert_eq!(folder.execute("program", &[]).1, Some(3));
    // What is kept for the user to look at, the test takes away.
    let copy =
        text.split(" is translated as ").nth(1).and_then(|rest| rest.split(',').next()).expect("the copy's name");
    let scratch = std::path::Path::new(copy).parent().and_then(|folder| folder.parent()).expect("the copies' folder");
    fs::remove_dir_all(scratch).expect("the copies");
}

#[test]
fn the_compiler_is_what_the_environment_says() {
    let folder = Folder::new("compiler");
    folder.write("a.c", "int main(void) { return 0; }\n");
    let explain = |variable: &str, value: &str| {
        let mut driver = common::driver("winsock-cc");
        let output = driver.current_dir(folder.path()).env(variable, value).args(["--explain", "-m64"]).output();
        said(&output.expect("a driver"))
    };
    assert!(explain("CC", "my-gcc -B x").starts_with("my-gcc -B x -isystem "));
    assert!(explain("CC", "winsock-cc").starts_with("gcc "));
    assert!(explain("CC", "ccache /opt/bin/winsock-cc").starts_with("gcc "));
    assert!(explain("WINSOCK_CC", "clang").starts_with("clang "));
    let output = folder.run("winsock-cc", &["-dumpversion"]);
    assert!(output.status.success() && said(&output).trim().parse::<f32>().is_ok());
    let mut driver = common::driver("winsock-cc");
    let output = driver.current_dir(folder.path()).env("CC", "no-such-compiler").arg("a.c").output().expect("a driver");
    assert!(said(&output).starts_with("winsock-cc: error: cannot run no-such-compiler: "));
}

#[test]
fn nothing_temporary_stays() {
    let folder = Folder::new("temporary");
    fs::create_dir(folder.path().join("tmp")).expect("a folder");
    folder.write("good.c", "int main(void) { return 0; }\n");
    folder.write("bad.c", "int main(void) { return x; }\n");
    for source in ["good.c", "bad.c", "missing.c"] {
        let mut driver = common::driver("winsock-cc");
        driver.current_dir(folder.path()).env("TMPDIR", folder.path().join("tmp"));
        let output = driver.args([source, "-o", "program"]).output().expect("a driver");
        assert_eq!(output.status.success(), source == "good.c", "{}", said(&output));
        assert_eq!(fs::read_dir(folder.path().join("tmp")).expect("the folder").count(), 0, "{source}");
    }
}
