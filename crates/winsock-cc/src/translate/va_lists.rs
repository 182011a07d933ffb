//! `va_list` as a value.
//!
//! On Windows a `va_list` is a pointer into the arguments: a function that gets one moves its own copy, and the caller goes
//! on with what it has. Here it is an array, of which a parameter is the address, so that a function would use the caller's
//! up; nor can it be assigned. It stays that array, since libraries that were built elsewhere take it so. What changes:
//!
//! * A function begins with a copy of each `va_list` that it gets. The parameter gets another name, and the copy has its
//!   own, so that `&ap` is the address of a `va_list`, as on Windows. Where the name is used before the body, as a
//!   constructor may, the parameter keeps it and points to the copy.
//! * `a = b;` copies, and a null pointer zeros, where either side is the name of a variable that is known as a `va_list`.
//!
//! A function whose beginning differs by `#if` is left as it is.

use super::Draft;
use crate::lexer::Kind;
use std::collections::{HashMap, HashSet};

pub(super) fn translate(draft: &mut Draft) {
    let places = (0..draft.tokens.len()).filter(|at| draft.tokens[*at].is_significant()).collect();
    let mut code = Code { types: types(draft), places, draft };
    code.drop_const();
    let lists: Vec<usize> = (0..code.places.len()).filter(|at| code.is_variable(*at)).collect();
    if lists.is_empty() {
        return;
    }
    let mut parameters: HashMap<usize, Vec<&str>> = HashMap::new();
    for at in lists {
        if let Some(body) = code.body_of_function(at) {
            code.copy_parameter(at + 1, body);
            parameters.entry(body).or_default().push(code.text(at + 1));
        }
    }
    assignments(&mut code, &parameters);
}

/// The names of the type: its own, and those that this file gives it.
fn types<'a>(draft: &Draft<'a>) -> HashSet<&'a str> {
    let texts: Vec<&str> = draft.tokens.iter().filter(|token| token.is_significant()).map(|token| token.text).collect();
    let named = |words: &[&'a str]| match *words {
        ["typedef", "va_list", name, ";", ..] | ["using", name, "=", "va_list", ";"] => Some(name),
        _ => None,
    };
    texts.windows(5).filter_map(named).chain(["va_list"]).collect()
}

/// Goes through the variables and the assignments, with the variables that are known at each.
fn assignments<'a>(code: &mut Code<'_, 'a>, parameters: &HashMap<usize, Vec<&'a str>>) {
    let mut scopes: Vec<Vec<&str>> = vec![Vec::new()];
    let mut conditions = Vec::new();
    for at in 0..code.places.len() {
        if code.in_directive(at) {
            match code.text(at) {
                "if" | "ifdef" | "ifndef" if code.is(at - 1, "#") => conditions.push(scopes.clone()),
                // Each branch begins where the first did.
                "else" | "elif" if code.is(at - 1, "#") => scopes = conditions.last().cloned().unwrap_or(scopes),
                "endif" if code.is(at - 1, "#") => drop(conditions.pop()),
                _ => {}
            }
            continue;
        }
        match code.text(at) {
            "{" => scopes.push(parameters.get(&at).cloned().unwrap_or_default()),
            "}" if scopes.len() > 1 => drop(scopes.pop()),
            "=" => code.assign(at, |name| scopes.iter().flatten().any(|known| *known == name)),
            _ if code.is_variable(at) => {
                let names = code.declare(at);
                scopes.last_mut().expect("the outermost stays").extend(names);
            }
            _ => {}
        }
    }
}

/// The tokens of a file that the compiler sees, counted from 0.
struct Code<'d, 'a> {
    draft: &'d mut Draft<'a>,
    places: Vec<usize>,
    types: HashSet<&'a str>,
}

impl<'a> Code<'_, 'a> {
    /// Nothing beyond the end.
    fn text(&self, at: usize) -> &'a str {
        self.places.get(at).map_or("", |place| self.draft.text(*place))
    }

    fn is(&self, at: usize, text: &str) -> bool {
        self.text(at) == text
    }

    fn is_word(&self, at: usize) -> bool {
        self.places.get(at).is_some_and(|place| self.draft.kind(*place) == Kind::Word)
    }

    fn in_directive(&self, at: usize) -> bool {
        self.draft.in_directive[self.places[at]]
    }

    fn out(&mut self, at: usize) -> &mut String {
        &mut self.draft.out[self.places[at]]
    }

    fn change(&mut self, at: usize, what: &str) {
        self.draft.change(self.places[at], what);
    }

    /// Whether this is the type, with the name of a variable behind it.
    fn is_variable(&self, at: usize) -> bool {
        self.types.contains(self.text(at)) && self.is_word(at + 1)
    }

    /// Takes `const` from parameters of the type, where it says nothing of a value but much of what an array has.
    fn drop_const(&mut self) {
        for at in 1..self.places.len() {
            let is_value = self.is_word(at + 1) || [",", ")"].contains(&self.text(at + 1));
            if self.types.contains(self.text(at)) && is_value && self.is(at - 1, "const") {
                *self.out(at - 1) = " ".repeat("const".len());
            }
        }
    }

    /// The brace that begins the body of the function of which this is the type of a parameter.
    fn body_of_function(&self, at: usize) -> Option<usize> {
        let open = self
            .beginning_of_group(at)
            .filter(|open| self.is(*open, "(") && [",", ")"].contains(&self.text(at + 2)))?;
        let body = self.body_behind(self.end_of_group(open)?)?;
        (open..=body).all(|at| self.in_directive(at) == self.in_directive(open)).then_some(body)
    }

    /// The brace that begins the body of a function whose parameters end here.
    fn body_behind(&self, close: usize) -> Option<usize> {
        let mut at = close + 1;
        let mut initializes = false;
        loop {
            match self.text(at) {
                // `: member{value} {}`
                "{" if initializes && self.is_word(at - 1) => at = self.end_of_group(at)?,
                "{" => return Some(at),
                "(" | "[" => at = self.end_of_group(at)?,
                ":" => initializes |= !self.is(at + 1, ":") && !self.is(at - 1, ":"),
                "," if initializes => {}
                // Of types that follow `->`, and of `noexcept`, `override` and their like.
                "&" | "*" | "<" | ">" | "-" | "." => {}
                _ if self.is_word(at) => {}
                _ => return None,
            }
            at += 1;
        }
    }

    /// Has the body of a function begin with a copy of a parameter.
    fn copy_parameter(&mut self, parameter: usize, body: usize) {
        let name = self.text(parameter);
        let keeps_name = (parameter + 1..body).any(|at| self.is(at, name) || self.is(at, "try"));
        let copy = if keeps_name {
            format!(" WS_OWN_VA_LIST(ws_own_{name}, {name}); {name} = ws_own_{name};")
        } else {
            *self.out(parameter) = format!("ws_given_{name}");
            format!(" WS_OWN_VA_LIST({name}, ws_given_{name});")
        };
        *self.out(body) += &copy;
        self.change(parameter, &format!("va_list {name}: the function has a copy of its own"));
    }

    /// The names that a declaration of variables declares. A value that one begins with is copied in a statement.
    fn declare(&mut self, at: usize) -> Vec<&'a str> {
        let mut names = Vec::new();
        let mut name = at + 1;
        while self.is_word(name) {
            let variable = self.text(name);
            let mut end = name + 1;
            if self.is(end, "=") {
                let Some(value) = self.value(end + 1) else { break };
                end = value.end;
                if value.is_null {
                    self.replace(&value, "{0}");
                } else {
                    *self.out(name + 1) = format!("; WS_VA_ASSIGN({variable},");
                    self.out(end - 1).push(')');
                    if self.is(end, ",") {
                        *self.out(end) = "; __builtin_va_list".into();
                    }
                    self.change(name, &format!("va_list {variable}: begins as a copy"));
                }
            }
            if ![",", ";"].contains(&self.text(end)) {
                break;
            }
            names.push(variable);
            if self.is(end, ";") {
                break;
            }
            name = end + 1;
        }
        names
    }

    /// Translates `a = b;` here, if it is of the type.
    fn assign(&mut self, at: usize, is_known: impl Fn(&str) -> bool) {
        let Some(value) = self.value(at + 1).filter(|value| self.is(value.end, ";")) else { return };
        let Some(first) = at.checked_sub(1).and_then(|last| self.beginning_of_place(last)) else { return };
        let is_list = |from: usize, end: usize| from + 1 == end && self.is_word(from) && is_known(self.text(from));
        if !(is_list(first, at) || is_list(value.start, value.end)) {
            return;
        }
        if value.is_null {
            let name = self.text(first);
            *self.out(first) = format!("__builtin_memset(&{name}, 0, sizeof {name})");
            self.out(at).clear();
            self.replace(&value, "");
        } else {
            self.out(first).insert_str(0, "WS_VA_ASSIGN(");
            *self.out(at) = ",".into();
            self.out(value.end - 1).push(')');
        }
        self.change(at, "a va_list is assigned: copied");
    }

    /// Where the statement begins that assigns to the place which ends here: `a`, `*a`, `b->a`, `c[1].a`, `d::a`. None if this
    /// is something else.
    fn beginning_of_place(&self, last: usize) -> Option<usize> {
        let mut first = last;
        loop {
            while self.is(first, "]") {
                first = self.beginning_of_group(first)?.checked_sub(1)?;
            }
            if !self.is_word(first) {
                return None;
            }
            let joined = match first {
                _ if first >= 2 && self.is(first - 1, ".") => 2,
                _ if first >= 3 && self.is(first - 2, "-") && self.is(first - 1, ">") => 3,
                _ if first >= 3 && self.is(first - 2, ":") && self.is(first - 1, ":") => 3,
                _ => break,
            };
            first -= joined;
        }
        while first > 0 && self.is(first - 1, "*") {
            first -= 1;
        }
        let before = if first == 0 { ";" } else { self.text(first - 1) };
        [";", "{", "}", "(", ")", ":", "else", "do"].contains(&before).then_some(first)
    }

    /// What is assigned from here on; `None` if it is more than a place or a null pointer.
    fn value(&self, start: usize) -> Option<Value> {
        let mut end = start;
        while ![",", ";"].contains(&self.text(end)) {
            let is_part = [".", "-", ">", ":", "*", "[", "]", "(", ")"].contains(&self.text(end));
            let is_number = self.places.get(end).is_some_and(|place| self.draft.kind(*place) == Kind::Number);
            if !(is_part || is_number || self.is_word(end)) {
                return None;
            }
            end += 1;
        }
        let is_null = end > start && ["0", "NULL", "nullptr"].contains(&self.text(end - 1));
        (end > start).then_some(Value { start, end, is_null })
    }

    fn replace(&mut self, value: &Value, text: &str) {
        (value.start..value.end).for_each(|at| self.out(at).clear());
        *self.out(value.start) = text.into();
    }

    /// The bracket that closes the group which opens here.
    fn end_of_group(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for at in open..self.places.len() {
            match self.text(at) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(at);
            }
        }
        None
    }

    /// The bracket that opens the group in which this is, or which it closes.
    fn beginning_of_group(&self, inside: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for at in (0..inside).rev() {
            match self.text(at) {
                ")" | "]" | "}" => depth += 1,
                "(" | "[" | "{" if depth == 0 => return Some(at),
                "(" | "[" | "{" => depth -= 1,
                ";" if depth == 0 => return None,
                _ => {}
            }
        }
        None
    }
}

/// A place or a null pointer that is assigned.
struct Value {
    start: usize,
    /// The comma or semicolon behind it.
    end: usize,
    is_null: bool,
}

#[cfg(test)]
mod tests {
    use super::super::tests::{c, cpp};

    #[test]
    fn a_function_has_a_copy_of_its_own() {
        let copy = "WS_OWN_VA_LIST(ap, ws_given_ap);";
        for (before, between, after) in [
            ("int f(const char *s, va_list ", ")\n{", " return 0; }"),
            ("static void f(va_list ", ", int n) {", " }"),
            ("void C::f(_In_ va_list ", ") const noexcept(true) override {", "}"),
            ("auto f = [&](std::va_list ", ") mutable -> std::vector<int> & {", "};"),
            ("struct A { A(va_list ", ") : b(1), c{2}, d(3) {", "} };"),
            ("template <class T> int f(T t, va_list ", ") noexcept [[a]] __attribute__((x(1))) {", "}"),
        ] {
            let text = format!("{before}ap{between}{after}");
            assert_eq!(cpp(&text), format!("{before}ws_given_ap{between} {copy}{after}"));
        }
        assert_eq!(
            cpp("#define F(f) void f(va_list ap) { \\\n}\n"),
            format!("#define F(f) void f(va_list ws_given_ap) {{ {copy} \\\n}}\n")
        );
        assert_eq!(cpp("int f(const va_list);"), "int f(      va_list);");
        assert_eq!(cpp("int f(const va_list ap) {}"), format!("int f(      va_list ws_given_ap) {{ {copy}}}"));
        let two = c("void f(va_list a, va_list b) {}");
        assert!(two.contains("(a, ws_given_a); ") || two.contains("(b, ws_given_b); "), "{two}");
        assert_eq!(
            c("typedef va_list V; void f(V ap) {}"),
            format!("typedef va_list V; void f(V ws_given_ap) {{ {copy}}}")
        );
    }

    #[test]
    fn a_name_that_is_used_before_the_body_stays() {
        let text = "A::A(va_list ap) : B(ap) {}";
        let copy = "WS_OWN_VA_LIST(ws_own_ap, ap); ap = ws_own_ap;";
        assert_eq!(cpp(text), format!("A::A(va_list ap) : B(ap) {{ {copy}}}"));
    }

    #[test]
    fn assignments_copy() {
        for (text, expected) in [
            ("va_list a, b; a = b;", "va_list a, b; WS_VA_ASSIGN(a , b);"),
            ("va_list a = b;", "va_list a ; WS_VA_ASSIGN(a, b);"),
            ("va_list a = b, c;", "va_list a ; WS_VA_ASSIGN(a, b); __builtin_va_list c;"),
            ("va_list a = NULL, b = (va_list)0;", "va_list a = {0}, b = {0};"),
            ("va_list a; a = NULL;", "va_list a; __builtin_memset(&a, 0, sizeof a)  ;"),
            ("va_list a; x->y[1].a = a;", "va_list a; WS_VA_ASSIGN(x->y[1].a , a);"),
            (
                "va_list a; if (x) *p = a; else a = *p;",
                "va_list a; if (x) WS_VA_ASSIGN(*p , a); else WS_VA_ASSIGN(a , *p);",
            ),
            ("va_list a; a = p->list;", "va_list a; WS_VA_ASSIGN(a , p->list);"),
        ] {
            assert_eq!(c(&format!("void f() {{ {text} }}")), format!("void f() {{ {expected} }}"));
        }
    }

    #[test]
    fn a_name_is_known_in_its_scope_only() {
        let text = "void f() { va_list args; }\nvoid g() { char *args; args = x; char *p = args; }";
        assert_eq!(c(text), text);
        let branches = "void f() {\n#if A\nif (x) { va_list a;\n#else\nif (y) {\n#endif\n}\n} void g() { a = b; }";
        assert_eq!(c(branches), branches);
    }

    #[test]
    fn what_is_no_function_stays() {
        for text in [
            "int f(const char *s, va_list ap);",
            "int (*f)(va_list ap) = g;",
            "struct S { void (*f)(va_list ap); va_list *p; };",
            "void f(const va_list *ap) { *ap; }",
            "void f(va_list &ap) { g(ap); }",
            "void f(va_list) {}",
            "void f(int n, ...) { va_list ap; va_start(ap, n); p = &ap; if (ap == x) n = 1; n += 2; }",
            "void f(va_list ap)\n#if A\n;\n#else\n{}\n#endif",
            "\"void f(va_list ap) {\" /* void f(va_list ap) { */",
            "void f(va_list ap",
            "va_list",
            "= va_list a =",
        ] {
            assert_eq!(cpp(text), text);
        }
    }
}
