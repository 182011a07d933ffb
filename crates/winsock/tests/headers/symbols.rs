//! Nothing is declared that the library does not have, and it has nothing that is not declared.

use std::collections::BTreeSet;
use std::fs;

use object::{Object, ObjectSymbol};

use super::declarations::{aliases, declarations};
use super::toolchain::library;

/// Have no prototypes on Windows either: programs ask for their addresses by WSAIoctl.
const WITHOUT_PROTOTYPE: [&str; 3] = ["ws_ConnectEx", "ws_DisconnectEx", "ws_WSARecvMsg"];

#[test]
fn the_library_exports_what_the_headers_declare() {
    let bytes = fs::read(library()).unwrap();
    let file = object::File::parse(&bytes[..]).unwrap();
    let exported: BTreeSet<String> = file
        .dynamic_symbols()
        .filter(|symbol| symbol.is_definition())
        .filter_map(|symbol| Some(symbol.name().ok()?.to_owned()))
        .filter(|name| name.starts_with("ws_"))
        .collect();
    let declared: BTreeSet<String> = declarations().iter().map(|function| format!("ws_{}", function.name)).collect();
    assert!(declared.len() > 200, "{}", declared.len());

    let missing: Vec<_> = declared.difference(&exported).collect();
    assert!(missing.is_empty(), "declared, not exported: {missing:?}");
    let undeclared: Vec<_> =
        exported.difference(&declared).filter(|name| !WITHOUT_PROTOTYPE.contains(&name.as_str())).collect();
    assert!(undeclared.is_empty(), "exported, not declared: {undeclared:?}");
    let lost: Vec<_> = aliases().into_iter().filter(|symbol| !exported.contains(symbol)).collect();
    assert!(lost.is_empty(), "bound by WS_ALIAS, not exported: {lost:?}");
}

#[test]
fn no_function_is_declared_twice() {
    let mut seen = BTreeSet::new();
    for function in declarations() {
        assert!(seen.insert(function.name.clone()), "{} in {} again", function.name, function.header);
    }
}
