//! The modules of a crate, and what a path within it names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, Item, UseTree};

/// A module's place in its crate; the root's is empty.
pub type Place = Vec<String>;

/// A module: a file, or a `mod` block within one.
pub struct Module {
    /// Index in [`Crate::files`].
    pub file: usize,
    /// What stands in it, without tests.
    pub items: Vec<Item>,
    /// Names that are defined here, but modules.
    defined: BTreeSet<String>,
    /// Names that a `use` brings, and their paths as written.
    aliases: BTreeMap<String, Vec<String>>,
    /// Paths of `use path::*`.
    globs: Vec<Vec<String>>,
}

/// The modules below a `lib.rs` or `main.rs`.
pub struct Crate {
    pub files: Vec<PathBuf>,
    pub modules: BTreeMap<Place, Module>,
}

/// What a path names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    Module(Place),
    /// Something that is defined in a file.
    Item(usize),
    /// Nothing of this crate.
    Elsewhere,
}

/// `use` within `use`: a path that names itself must end.
const MOST_STEPS: usize = 16;

impl Crate {
    /// Reads a crate from its root file on.
    pub fn read(root: &Path) -> Self {
        let mut read = Self {
            files: Vec::new(),
            modules: BTreeMap::new(),
        };
        read.read_file(root, Vec::new());
        read
    }

    fn read_file(&mut self, path: &Path, place: Place) {
        let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let file = self.files.len();
        self.files.push(path.to_path_buf());
        self.add(file, place, parsed.items);
    }

    fn add(&mut self, file: usize, place: Place, items: Vec<Item>) {
        let mut module = Module {
            file,
            items: Vec::new(),
            defined: BTreeSet::new(),
            aliases: BTreeMap::new(),
            globs: Vec::new(),
        };
        for item in items {
            if is_for_tests(attributes(&item)) {
                continue;
            }
            match item {
                Item::Mod(inner) => {
                    let mut below = place.clone();
                    below.push(inner.ident.to_string());
                    match inner.content {
                        Some((_, items)) => self.add(file, below, items),
                        None => {
                            let path = self.file_of_module(file, &inner.ident.to_string());
                            self.read_file(&path, below);
                        }
                    }
                }
                Item::Use(used) => {
                    for (name, path) in leaves(&used.tree) {
                        match name {
                            Some(name) => drop(module.aliases.insert(name, path)),
                            None => module.globs.push(path),
                        }
                    }
                    module.items.push(Item::Use(used));
                }
                item => {
                    module.defined.extend(name_of(&item));
                    module.items.push(item);
                }
            }
        }
        self.modules.insert(place, module);
    }

    /// Where `mod name;` of a file lies.
    fn file_of_module(&self, file: usize, name: &str) -> PathBuf {
        let path = &self.files[file];
        let mut folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        if !matches!(&*stem, "mod" | "lib" | "main") {
            folder.push(&*stem);
        }
        let flat = folder.join(format!("{name}.rs"));
        if flat.is_file() {
            flat
        } else {
            folder.join(name).join("mod.rs")
        }
    }

    /// What a path names that is written in module `from`.
    pub fn resolve(&self, from: &Place, path: &[String]) -> Named {
        self.resolve_within(from, path, MOST_STEPS)
    }

    fn resolve_within(&self, from: &Place, path: &[String], steps: usize) -> Named {
        if steps == 0 {
            return Named::Elsewhere;
        }
        let mut at = from.clone();
        let mut names = path.iter().map(String::as_str).peekable();
        match names.peek() {
            Some(&"crate") => {
                at.clear();
                names.next();
            }
            Some(&"self") => drop(names.next()),
            Some(&"super") => {
                while names.peek() == Some(&"super") {
                    at.pop();
                    names.next();
                }
            }
            Some(first) => match self.look_up(&at, first, steps) {
                Some(Named::Module(place)) => {
                    at = place;
                    names.next();
                }
                Some(found) => return found,
                None => return Named::Elsewhere,
            },
            None => return Named::Elsewhere,
        }
        for name in names {
            match self.look_up(&at, name, steps) {
                Some(Named::Module(place)) => at = place,
                Some(found) => return found,
                // A macro made it.
                None => {
                    return self
                        .modules
                        .get(&at)
                        .map_or(Named::Elsewhere, |m| Named::Item(m.file));
                }
            }
        }
        Named::Module(at)
    }

    fn look_up(&self, place: &Place, name: &str, steps: usize) -> Option<Named> {
        let module = self.modules.get(place)?;
        let mut below = place.clone();
        below.push(name.to_owned());
        if self.modules.contains_key(&below) {
            return Some(Named::Module(below));
        }
        if module.defined.contains(name) {
            return Some(Named::Item(module.file));
        }
        if let Some(path) = module.aliases.get(name) {
            return Some(self.resolve_within(place, path, steps - 1));
        }
        module
            .globs
            .iter()
            .find_map(|path| match self.resolve_within(place, path, steps - 1) {
                Named::Module(other) if other != *place => self.look_up(&other, name, steps - 1),
                _ => None,
            })
    }

    /// The file that holds what a path names.
    pub fn file_of(&self, named: &Named) -> Option<usize> {
        match named {
            Named::Module(place) => self.modules.get(place).map(|module| module.file),
            Named::Item(file) => Some(*file),
            Named::Elsewhere => None,
        }
    }
}

/// The names that a `use` brings, with their paths; no name for a `*`.
pub fn leaves(tree: &UseTree) -> Vec<(Option<String>, Vec<String>)> {
    let below = |head: Option<String>, rest: Vec<(Option<String>, Vec<String>)>| {
        let longer = rest.into_iter().map(|(name, path)| {
            let head = head.clone().into_iter();
            (name, head.chain(path).collect())
        });
        longer.collect()
    };
    match tree {
        UseTree::Path(path) => below(Some(path.ident.to_string()), leaves(&path.tree)),
        UseTree::Group(group) => group.items.iter().flat_map(leaves).collect(),
        UseTree::Glob(_) => vec![(None, Vec::new())],
        UseTree::Rename(renamed) => {
            vec![(
                Some(renamed.rename.to_string()),
                vec![renamed.ident.to_string()],
            )]
        }
        UseTree::Name(name) => vec![(Some(name.ident.to_string()), vec![name.ident.to_string()])],
    }
    .into_iter()
    .map(|(name, mut path): (Option<String>, Vec<String>)| {
        // `use a::b::{self}` is `use a::b`.
        let is_self = path.len() > 1 && path.last().is_some_and(|last| last == "self");
        if is_self {
            path.pop();
        }
        let name = if is_self { path.last().cloned() } else { name };
        (name, path)
    })
    .collect()
}

/// Whether attributes say that something is compiled for tests only.
pub fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else {
            return attribute.path().is_ident("test");
        };
        let condition = list.tokens.to_string();
        list.path.is_ident("cfg") && (condition == "test" || condition.starts_with("all (test"))
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(i) => &i.attrs,
        Item::Enum(i) => &i.attrs,
        Item::Fn(i) => &i.attrs,
        Item::Impl(i) => &i.attrs,
        Item::Macro(i) => &i.attrs,
        Item::Mod(i) => &i.attrs,
        Item::Static(i) => &i.attrs,
        Item::Struct(i) => &i.attrs,
        Item::Trait(i) => &i.attrs,
        Item::Type(i) => &i.attrs,
        Item::Use(i) => &i.attrs,
        _ => &[],
    }
}

fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(i) => &i.ident,
        Item::Enum(i) => &i.ident,
        Item::Fn(i) => &i.sig.ident,
        Item::Macro(i) => i.ident.as_ref()?,
        Item::Static(i) => &i.ident,
        Item::Struct(i) => &i.ident,
        Item::Trait(i) => &i.ident,
        Item::Type(i) => &i.ident,
        Item::Union(i) => &i.ident,
        _ => return None,
    };
    Some(name.to_string())
}
