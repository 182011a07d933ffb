//! The functions that the library exports, read from its Rust sources.

use std::fs;
use std::path::Path;

use syn::visit::Visit;

use super::toolchain::package;

/// An exported function with the types that Rust gives it.
#[derive(Debug, Clone)]
pub(crate) struct RustFunction {
    pub(crate) name: String,
    pub(crate) parameters: Vec<RustType>,
    /// None if it returns nothing, or not at all.
    pub(crate) result: Option<RustType>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RustType {
    Pointer,
    Named(String),
}

/// All functions that are exported as `ws_…`.
pub(crate) fn rust_functions() -> Vec<RustFunction> {
    let mut finder = Finder::default();
    visit_folder(&package().join("src"), &mut finder);
    finder.found
}

fn visit_folder(folder: &Path, finder: &mut Finder) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit_folder(&path, finder);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            finder.visit_file(&syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
        }
    }
}

#[derive(Default)]
struct Finder {
    found: Vec<RustFunction>,
}

impl<'a> Visit<'a> for Finder {
    fn visit_item_fn(&mut self, function: &'a syn::ItemFn) {
        if let Some(name) = function.attrs.iter().find_map(exported_name) {
            let is_c = function.sig.abi.as_ref().and_then(|abi| abi.name.as_ref()).map(syn::LitStr::value);
            assert!(
                matches!(is_c.as_deref(), Some("system" | "system-unwind" | "C" | "C-unwind")),
                "{name} has Rust's calling convention"
            );
            let parameters: Vec<_> = function
                .sig
                .inputs
                .iter()
                .map(|input| match input {
                    syn::FnArg::Typed(typed) => rust_type(&typed.ty),
                    syn::FnArg::Receiver(_) => panic!("{name} is a method"),
                })
                .collect();
            let result = match &function.sig.output {
                syn::ReturnType::Type(_, ty) if !matches!(**ty, syn::Type::Never(_)) => Some(rust_type(ty)),
                _ => None,
            };
            self.found.push(RustFunction { name, parameters, result });
        }
        syn::visit::visit_item_fn(self, function);
    }
}

/// X of `#[unsafe(export_name = "ws_X")]`.
fn exported_name(attribute: &syn::Attribute) -> Option<String> {
    let list = attribute.meta.require_list().ok().filter(|list| list.path.is_ident("unsafe"))?;
    let pair: syn::MetaNameValue = list.parse_args().ok()?;
    let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. }) = pair.value else { return None };
    if pair.path.is_ident("export_name") { name.value().strip_prefix("ws_").map(str::to_owned) } else { None }
}

fn rust_type(ty: &syn::Type) -> RustType {
    match ty {
        syn::Type::Ptr(_) | syn::Type::Reference(_) | syn::Type::BareFn(_) => RustType::Pointer,
        syn::Type::Path(path) => match path.path.segments.last().unwrap().ident.to_string().as_str() {
            // Of a function: a pointer that may be null.
            "Option" => RustType::Pointer,
            name => RustType::Named(name.to_owned()),
        },
        _ => panic!("a type that C does not have"),
    }
}
