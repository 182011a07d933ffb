//! From a command line to the compiler's, and what is left to do when that is over.

use crate::arguments::{Arguments, Goal, Item};
use crate::check;
use crate::compiler::Compiler;
use crate::explain::{HELP, explanation};
use crate::layout::Layout;
use crate::libraries::{Library, complaint, library};
use crate::sanitizers;
use crate::sources::Sources;
use crate::translate::Language;
use anyhow::{Context, bail};
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{fs, io};

/// Does what the command line says.
pub(crate) fn run(arguments: Vec<OsString>, driver: Language) -> anyhow::Result<ExitCode> {
    if arguments.iter().any(|argument| argument == check::OPTION) {
        return check::run(&arguments);
    }
    let arguments = Arguments::parse(arguments, driver)?;
    if arguments.help {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    }
    let layout = Layout::find()?;
    let compiler = Compiler::choose(driver);
    let language = if arguments.has_source_in(Language::Cpp) { Language::Cpp } else { driver };
    let mut sources = Sources::new(&arguments, &layout.include, || compiler.include_folders(language))?;
    let command = command(&arguments, driver, &layout, &compiler, &mut sources)?;
    if arguments.explain {
        if !sources.copies.is_empty() {
            sources.scratch.keep();
        }
        print!("{}", explanation(&command, &sources.copies));
        return Ok(ExitCode::SUCCESS);
    }
    // The compiler ends by Ctrl-C; this program stays to clean up behind it.
    ctrlc::set_handler(|| {}).context("a handler for Ctrl-C")?;
    let code = compile(&command, &arguments, &sources)?;
    if arguments.writes_rules {
        restore_names_in_rules(&arguments, &sources)?;
    }
    Ok(code)
}

/// The compiler's command line.
fn command(
    arguments: &Arguments,
    driver: Language,
    layout: &Layout,
    compiler: &Compiler,
    sources: &mut Sources,
) -> anyhow::Result<Vec<OsString>> {
    let mut command = compiler.words();
    if arguments.compiles || !arguments.has_input {
        command.extend(compiler.flags(&layout.include));
        if arguments.checks_threads {
            command.extend(sanitizers::compiler_flags(compiler.is_clang()));
        }
    }
    // Where a macro names the header, the compiler looks for it itself.
    for folder in folders_of(arguments) {
        command.extend(["-iquote".into(), folder.into_os_string()]);
    }
    for item in &arguments.items {
        if let Item::Forced(name) = item {
            sources.include_first(name);
        }
    }
    let mut work = Vec::new();
    for item in &arguments.items {
        match item {
            Item::Source(path, language) => work.push(sources.source(path, *language)?.into_os_string()),
            Item::Forced(_) => {}
            Item::Library(name, spelled) => work.extend(library_argument(name, spelled, sources)?),
            Item::Other(words) => work.extend(words.iter().cloned()),
        }
    }
    command
        .extend(sources.copies.iter().filter(|copy| copy.is_source).map(|copy| prefix_map(&copy.original, &copy.copy)));
    command.extend(work);
    if arguments.compiles {
        // Formats are Windows's (`%I64d`, `%S`), which our printf understands and the compiler does not. Behind -Wall.
        command.push("-Wno-format".into());
    }
    if arguments.goal == Goal::Link && arguments.has_input && !arguments.links_by_hand {
        command.append(&mut sources.libraries);
        command.extend(link_flags(arguments, driver, &layout.lib));
    }
    Ok(command)
}

/// The folders that the sources are in, each once.
fn folders_of(arguments: &Arguments) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for source in arguments.sources().filter(|source| *source != Path::new("-")) {
        let folder = source.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folders.iter().any(|known| known == folder) {
            folders.push(folder.to_owned());
        }
    }
    folders
}

/// So that debuggers and `__BASE_FILE__` name the original.
fn prefix_map(original: &Path, copy: &Path) -> OsString {
    let folder =
        |path: &Path| path.parent().filter(|folder| !folder.as_os_str().is_empty()).map(|folder| folder.join(""));
    let mut flag = OsString::from("-ffile-prefix-map=");
    flag.push(folder(copy).unwrap_or_default());
    flag.push("=");
    flag.push(folder(original).unwrap_or_default());
    flag
}

/// What a library on the command line becomes; nothing if `libwinsock` stands in for it.
fn library_argument(name: &str, spelled: &OsString, sources: &Sources) -> anyhow::Result<Option<OsString>> {
    let is_file = !spelled.to_string_lossy().starts_with('-') && Path::new(spelled).is_file();
    match library(name) {
        _ if is_file => Ok(Some(spelled.clone())),
        Library::Provided => Ok(None),
        _ if sources.has_library(name) => Ok(Some(format!("-l{}", crate::libraries::plain(name)).into())),
        // Linux's own, of which the linker knows best.
        Library::Other if spelled.to_string_lossy().starts_with("-l") => Ok(Some(spelled.clone())),
        _ => bail!("{}", complaint(name)),
    }
}

/// What a program is linked with: our `main` for those that have another entry point, the library, and what it needs.
fn link_flags(arguments: &Arguments, driver: Language, lib: &Path) -> Vec<OsString> {
    let option = |name: &str, folder: &Path| {
        let mut option = OsString::from(name);
        option.push(folder);
        option
    };
    let mut flags = vec![option("-L", lib), option("-Wl,-rpath,", lib)];
    if !arguments.is_shared {
        flags.push("-lwinsock_main".into());
    }
    if arguments.checks_threads {
        flags.extend(sanitizers::link_flags(lib, arguments.is_shared));
    }
    flags.extend(["-lwinsock", "-lpthread", "-ldl", "-lm"].map(OsString::from));
    // Microsoft's compiler is one for both languages.
    if driver == Language::C && arguments.has_source_in(Language::Cpp) {
        flags.push("-lstdc++".into());
    }
    flags
}

/// Runs the compiler. What it prints of the preprocessor's is passed on with the originals' names.
fn compile(command: &[OsString], arguments: &Arguments, sources: &Sources) -> anyhow::Result<ExitCode> {
    let mut process = Command::new(&command[0]);
    process.args(&command[1..]);
    let says = || format!("cannot run {}", command[0].display());
    let status = if arguments.goal == Goal::Preprocess && arguments.output.is_none() {
        let output = process.stderr(Stdio::inherit()).stdin(Stdio::inherit()).output().with_context(says)?;
        io::stdout().write_all(&sources.with_original_names(&output.stdout, in_rules(arguments)))?;
        output.status
    } else {
        process.status().with_context(says)?
    };
    if let (Goal::Preprocess, Some(output)) = (arguments.goal, &arguments.output) {
        restore_names(output, arguments, sources)?;
    }
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// How a name stands in the compiler's output: in a rule for make, blanks and what make reads need care.
fn in_rules(arguments: &Arguments) -> fn(&str) -> String {
    if arguments.writes_rules {
        |name| name.replace(' ', "\\ ").replace('#', "\\#").replace('$', "$$")
    } else {
        |name| name.replace('\\', "\\\\").replace('"', "\\\"")
    }
}

/// The rules for make name the copies: this puts the originals' names back, wherever gcc wrote them.
fn restore_names_in_rules(arguments: &Arguments, sources: &Sources) -> anyhow::Result<()> {
    let mut files: Vec<PathBuf> = arguments.rules.iter().cloned().collect();
    for source in arguments.sources() {
        let rules = |stem: &Path| stem.with_extension("d");
        let name = PathBuf::from(source.file_name().unwrap_or_default());
        files.push(rules(&name));
        files.push(Path::new("a-").with_file_name(format!("a-{}", rules(&name).display())));
        if let Some(output) = &arguments.output {
            files.push(rules(output));
            let stem = output.file_stem().unwrap_or_default().to_string_lossy();
            files.push(output.with_file_name(format!("{stem}-{}", rules(&name).display())));
            let whole = output.file_name().unwrap_or_default().to_string_lossy();
            files.push(output.with_file_name(format!("{whole}-{}", rules(&name).display())));
        }
    }
    files.sort();
    files.dedup();
    files.iter().filter(|file| file.is_file()).try_for_each(|file| restore_names(file, arguments, sources))
}

/// Rewrites a file if it names a copy.
fn restore_names(file: &Path, arguments: &Arguments, sources: &Sources) -> anyhow::Result<()> {
    let Ok(text) = fs::read(file) else { return Ok(()) };
    let restored = sources.with_original_names(&text, in_rules(arguments));
    if restored != text {
        fs::write(file, restored).with_context(|| file.display().to_string())?;
    }
    Ok(())
}
