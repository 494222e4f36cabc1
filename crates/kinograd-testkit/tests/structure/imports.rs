//! Which file of a crate names what of which other.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItemFn, ItemUse, Macro, Visibility};

use crate::modules::{Crate, Named, Place, is_for_tests, leaves};

/// Files by index in [`Crate::files`], from the one that imports to the imported, with the names.
pub type Imports = BTreeMap<(usize, usize), BTreeSet<String>>;

/// All imports between files of a crate; re-exports are followed to the file that defines a name.
pub fn imports(all: &Crate) -> Imports {
    let mut imports = Imports::new();
    for (place, module) in &all.modules {
        let mut reader = Reader {
            all,
            place,
            file: module.file,
            imports: &mut imports,
        };
        for item in &module.items {
            reader.visit_item(item);
        }
    }
    imports
}

struct Reader<'a> {
    all: &'a Crate,
    place: &'a Place,
    file: usize,
    imports: &'a mut Imports,
}

impl Reader<'_> {
    fn import(&mut self, named: &Named, path: &[String]) {
        if let Some(file) = self.all.file_of(named)
            && file != self.file
        {
            let names = self.imports.entry((self.file, file)).or_default();
            names.insert(path.last().cloned().unwrap_or_default());
        }
    }

    fn path(&mut self, path: &[String]) {
        let named = self.all.resolve(self.place, path);
        // A lone name that a module has, too, is a variable.
        if path.len() > 1 || !matches!(named, Named::Module(_)) {
            self.import(&named, path);
        }
    }

    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.path_of_macro(&path);
                        path.clear();
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(sign) if sign.as_char() == ':' => colons += 1,
                other => {
                    self.path_of_macro(&path);
                    path.clear();
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.path_of_macro(&path);
    }

    /// In a macro a lone name may be anything.
    fn path_of_macro(&mut self, path: &[String]) {
        if path.len() > 1 {
            self.path(path);
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_use(&mut self, used: &'ast ItemUse) {
        let hands_on = !matches!(used.vis, Visibility::Inherited);
        for (name, path) in leaves(&used.tree) {
            let named = self.all.resolve(self.place, &path);
            let below =
                match &named {
                    Named::Module(place) => place.starts_with(self.place),
                    Named::Item(file) => self.all.modules.iter().any(|(place, module)| {
                        module.file == *file && place.starts_with(self.place)
                    }),
                    Named::Elsewhere => continue,
                };
            // What comes by a `*` counts where it is used; a parent's face imports no child.
            if name.is_some() && !(hands_on && below) {
                self.import(&named, &path);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
            self.path(&names);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.visit_path(&called.path);
        self.tokens(called.tokens.clone());
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if !is_for_tests(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_attribute(&mut self, _attribute: &'ast Attribute) {}

    fn visit_visibility(&mut self, _visibility: &'ast Visibility) {}
}
