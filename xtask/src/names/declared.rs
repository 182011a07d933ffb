//! What headers declare, as a compiler says it.
//!
//! Nothing here reads C. Macros are what the preprocessor has at the end; functions are the compiler's own list of
//! prototypes (`-aux-info`); types, enumerators and variables are in the debug information, which is asked to have the
//! unused ones too.

use anyhow::{Context, ensure};
use gimli::{AttributeValue, EndianSlice, LittleEndian};
use object::{Object, ObjectSection};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What a name is. Of a name that is several, the first of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Function,
    Type,
    Enumerator,
    Variable,
    Macro,
    Header,
}

/// A declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Declared {
    pub(crate) kind: Kind,
    /// The path of the header that has it.
    pub(crate) header: String,
    /// Of a function; `...` is one.
    pub(crate) parameters: Option<usize>,
}

/// Names with what they are.
pub(crate) type Names = BTreeMap<String, Declared>;

/// All that the C source declares, headers included. `compiler` gives the command to compile with, without a source.
pub(crate) fn names(compiler: impl Fn() -> Command, source: &str, scratch: &Path) -> anyhow::Result<Names> {
    fs::create_dir_all(scratch)?;
    let file = |name: &str| scratch.join(name);
    fs::write(file("all.c"), source)?;

    let mut preprocess = compiler();
    preprocess.args(["-E", "-dD"]).arg(file("all.c"));
    let text = output(&mut preprocess)?;
    let mut compile = compiler();
    compile.args(["-w", "-g", "-fno-eliminate-unused-debug-types", "-fno-eliminate-unused-debug-symbols", "-c"]);
    compile.arg("-aux-info").arg(file("all.prototypes")).arg(file("all.c")).arg("-o").arg(file("all.o"));
    output(&mut compile)?;
    let prototypes = fs::read(file("all.prototypes"))?;
    let object = fs::read(file("all.o"))?;

    let mut names = Names::new();
    let mut add = |name: String, declared: Declared| {
        let known = names.entry(name).or_insert_with(|| declared.clone());
        if declared.kind < known.kind {
            *known = declared;
        }
    };
    prototypes_of(&String::from_utf8_lossy(&prototypes)).for_each(|(name, declared)| add(name, declared));
    debug_information_of(&object, &mut add).context("debug information")?;
    macros_of(&text).into_iter().for_each(|(name, declared)| add(name, declared));
    Ok(names)
}

/// Runs a command, which has to succeed: what it prints.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?} failed\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The functions in lines as `/* stdio.h:7:NC */ extern int puts (const char *);`.
fn prototypes_of(text: &str) -> impl Iterator<Item = (String, Declared)> {
    text.lines().filter_map(|line| {
        let (place, declaration) = line.strip_prefix("/* ")?.split_once(" */ ")?;
        let header = place.rsplitn(3, ':').nth(2)?.to_owned();
        let (name, parameters) = prototype(declaration)?;
        Some((name, Declared { kind: Kind::Function, header, parameters: Some(parameters) }))
    })
}

/// The name of the function and the number of its parameters.
fn prototype(declaration: &str) -> Option<(String, usize)> {
    // Of a function that returns a pointer to one, the name follows the second parenthesis: `void (*signal (int, …))(int)`.
    let (open, _) = declaration.match_indices(" (").find(|(at, _)| !declaration[at + 2..].starts_with('*'))?;
    let name = declaration[..open].rsplit(|c: char| !is_of_name(c)).next()?;
    let (mut depth, mut parameters) = (0, 1);
    let inside = &declaration[open + 2..];
    for (at, character) in inside.char_indices() {
        match character {
            '(' => depth += 1,
            ')' if depth == 0 => {
                let is_none = inside[..at].trim() == "void" || inside[..at].trim().is_empty();
                return Some((name.to_owned(), if is_none { 0 } else { parameters }));
            }
            ')' => depth -= 1,
            ',' if depth == 0 => parameters += 1,
            _ => {}
        }
    }
    None
}

pub(crate) fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}

/// The macros that are defined at the end of a preprocessed text with its directives, but for those of the compiler.
fn macros_of(text: &str) -> Names {
    let mut macros = Names::new();
    let mut header = "";
    for line in text.lines() {
        if let Some(definition) = line.strip_prefix("#define ") {
            let name: String = definition.chars().take_while(|c| is_of_name(*c)).collect();
            let is_guard = definition.len() == name.len() && is_guard(&name, header);
            // `<built-in>` and `<command-line>`.
            if !is_guard && !header.starts_with('<') {
                macros.insert(name, Declared { kind: Kind::Macro, header: header.to_owned(), parameters: None });
            }
        } else if let Some(name) = line.strip_prefix("#undef ") {
            macros.remove(name.trim());
        } else if let Some(marker) = line.strip_prefix("# ") {
            header = marker.split('"').nth(1).unwrap_or_default();
        }
    }
    macros
}

/// Whether an empty macro only says that its header was read: it is named for it, as `_INC_STDIO` and `__WS2TCPIP_H`.
fn is_guard(name: &str, header: &str) -> bool {
    let letters = |text: &str| text.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "");
    let stem = header.rsplit('/').next().unwrap_or(header).split('.').next().unwrap_or_default();
    letters(name).contains(&letters(stem))
}

type Bytes<'a> = EndianSlice<'a, LittleEndian>;

/// The types, enumerators and variables.
fn debug_information_of(object: &[u8], add: &mut impl FnMut(String, Declared)) -> anyhow::Result<()> {
    let file = object::File::parse(object)?;
    let sections = gimli::DwarfSections::load(|id| section(&file, id.name()))?;
    let dwarf = sections.borrow(|bytes| EndianSlice::new(bytes, LittleEndian));
    let mut units = dwarf.units();
    while let Some(header) = units.next()? {
        let unit = dwarf.unit(header)?;
        let mut entries = unit.entries();
        let mut enumeration = String::new();
        while let Some((_, entry)) = entries.next_dfs()? {
            let Some(kind) = kind_of(entry.tag()) else { continue };
            let declared_in = match entry.attr_value(gimli::DW_AT_decl_file)? {
                Some(AttributeValue::FileIndex(index)) => header_of(&dwarf, &unit, index)?,
                // Enumerators have none.
                _ => enumeration.clone(),
            };
            if entry.tag() == gimli::DW_TAG_enumeration_type {
                enumeration.clone_from(&declared_in);
            }
            if let Some(name) = entry.attr_value(gimli::DW_AT_name)? {
                let name = dwarf.attr_string(&unit, name)?.to_string_lossy().into_owned();
                add(name, Declared { kind, header: declared_in, parameters: None });
            }
        }
    }
    Ok(())
}

/// A section, as if it was linked at 0. In an ELF object, what it says of places in others stands apart.
fn section<'a>(file: &object::File<'a>, name: &str) -> Result<Cow<'a, [u8]>, object::Error> {
    let Some(section) = file.section_by_name(name) else { return Ok(Cow::Borrowed(&[])) };
    let mut bytes = section.uncompressed_data()?;
    for (at, relocation) in section.relocations().filter(|(_, relocation)| !relocation.has_implicit_addend()) {
        let bytes_of_it = usize::from(relocation.size() / 8);
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        if let Some(place) = bytes.to_mut().get_mut(at..at.saturating_add(bytes_of_it)) {
            place.copy_from_slice(&relocation.addend().to_le_bytes()[..bytes_of_it]);
        }
    }
    Ok(bytes)
}

fn kind_of(tag: gimli::DwTag) -> Option<Kind> {
    match tag {
        gimli::DW_TAG_typedef
        | gimli::DW_TAG_structure_type
        | gimli::DW_TAG_union_type
        | gimli::DW_TAG_enumeration_type => Some(Kind::Type),
        gimli::DW_TAG_enumerator => Some(Kind::Enumerator),
        gimli::DW_TAG_variable => Some(Kind::Variable),
        _ => None,
    }
}

/// The path of a file of the unit's table.
fn header_of(dwarf: &gimli::Dwarf<Bytes<'_>>, unit: &gimli::Unit<Bytes<'_>>, index: u64) -> anyhow::Result<String> {
    let program = unit.line_program.as_ref().context("no table of files")?.header();
    let file = program.file(index).context("a file that is not in the table")?;
    let text = |value| anyhow::Ok(dwarf.attr_string(unit, value)?.to_string_lossy().into_owned());
    let name = text(file.path_name())?;
    let folder = file.directory(program).map(text).transpose()?.unwrap_or_default();
    Ok(format!("{folder}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prototypes_are_read() {
        let of = |declaration| prototype(declaration).expect("a prototype");
        assert_eq!(of("extern int puts (const char *);"), ("puts".into(), 1));
        assert_eq!(of("extern DWORD GetLastError (void);"), ("GetLastError".into(), 0));
        assert_eq!(of("extern int printf (const char *, ...);"), ("printf".into(), 2));
        assert_eq!(of("extern void (*signal (int, void (*)(int, int)))(int);"), ("signal".into(), 2));
        assert_eq!(of("static int f (int a); /* (a) int a; */"), ("f".into(), 1));
    }

    #[test]
    fn macros_are_those_of_the_end_and_no_guards() {
        let text = "# 1 \"<built-in>\"\n#define __x 1\n# 1 \"/x/winuser.h\" 1 3\n#define _WINUSER_\n#define IDOK 1\n\
                    #define GONE 1\n#undef GONE\n#define IN\n#define F(a) (a)\n";
        let macros = macros_of(text);
        assert_eq!(macros.keys().collect::<Vec<_>>(), ["F", "IDOK", "IN"]);
        assert_eq!(macros["IN"].header, "/x/winuser.h");
    }

    /// Of each kind one, through the compiler.
    #[test]
    fn a_compiler_tells_all_kinds() {
        let scratch = std::env::temp_dir().join(format!("xtask-names-{}", std::process::id()));
        let source = "typedef struct tag { int member; } type; enum choice { FIRST }; extern const type VALUE;\n\
                      type function(int a, void (*b)(int));\n#define MACRO 1\n";
        let names = names(|| Command::new("gcc"), source, &scratch);
        fs::remove_dir_all(&scratch).expect("the folder");
        let names = names.expect("gcc's");
        let kinds = ["tag", "type", "choice", "FIRST", "VALUE", "function", "MACRO"].map(|name| names[name].kind);
        use Kind::*;
        assert_eq!(kinds, [Type, Type, Type, Enumerator, Variable, Function, Macro]);
        assert_eq!(names["function"].parameters, Some(2));
        assert!(names["FIRST"].header.ends_with("all.c") && !names.contains_key("member"));
    }
}
