//! `cargo xtask sabotage`: bugs that are planted one at a time, in a copy of the workspace, while other
//! checks are switched off; each must be found by the one test that is named for it.
//!
//! A green suite says little about a check that no test needs. Here every check is taken out once, and those
//! that would catch the same bug behind its back are out too, so that what is left is the test alone.

mod book;
mod run;
mod tree;

use crate::run::{Failure, Outcome, Workspace};

use book::{Book, Target, Variant};
use run::{Bench, Found};

/// Plants every bug, or those that are named, and runs the test of each.
pub(crate) fn sabotage(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    if let [argument] = arguments
        && argument == "--check"
    {
        return check(workspace, &[]);
    }
    let book = Book::read(workspace)?;
    let variants = chosen(&book, arguments)?;
    let mut bench = Bench::new(workspace, &book)?;
    println!("{}", run::HEADING);
    let mut missed = Vec::new();
    let mut control: Option<(&[String], &Target)> = None;
    let mut red = Vec::new();
    for variant in &variants {
        let conditions = (&variant.off[..], &variant.test.target);
        if control != Some(conditions) {
            control = Some(conditions);
            let peers = variants.iter().filter(|peer| (&peer.off[..], &peer.test.target) == conditions);
            red = bench.controls(&variant.off, peers.map(|peer| &peer.test))?;
        }
        let found = match red.iter().find(|(test, _)| **test == variant.test) {
            Some((_, why)) => Found::Void(why.clone()),
            None => bench.plant(variant)?,
        };
        println!("{}", found.line(variant));
        if !matches!(found, Found::Caught { .. }) {
            missed.push(variant.name.as_str());
        }
    }
    bench.tidy_up()?;
    if missed.is_empty() {
        return Ok(Outcome::Done(format!("{} planted bugs, each caught by its test", variants.len())));
    }
    Err(Failure(format!("{} of {} not caught: {}", missed.len(), variants.len(), missed.join(", "))))
}

/// That every bug can still be planted and every named test is still there; builds nothing.
pub(crate) fn check(workspace: &Workspace, _arguments: &[String]) -> Result<Outcome, Failure> {
    let book = Book::read(workspace)?;
    let mut problems = Vec::new();
    for layer in &book.layers {
        let edits: Vec<_> = layer.edits.iter().collect();
        problems
            .extend(tree::patched(workspace, &edits).err().map(|error| format!("{}: {error}", layer.name)));
    }
    for variant in &book.variants {
        let patched = book.edits(variant, true).and_then(|edits| tree::patched(workspace, &edits));
        problems.extend(patched.err().map(|error| format!("{}: {error}", variant.name)));
        if !variant.test.exists(workspace)? {
            problems.push(format!("{}: there is no test {}", variant.name, variant.test));
        }
    }
    if problems.is_empty() {
        let (variants, layers) = (book.variants.len(), book.layers.len());
        return Ok(Outcome::Done(format!("{variants} bugs can be planted, {layers} checks switched off")));
    }
    Err(Failure(problems.join("\n")))
}

/// The variants that are named, or all; in an order in which little is built twice.
fn chosen<'b>(book: &'b Book, names: &[String]) -> Result<Vec<&'b Variant>, Failure> {
    if let Some(name) = names.iter().find(|name| book.variants.iter().all(|known| known.name != **name)) {
        return Err(Failure(format!("no planted bug is called {name}; see tests/sabotage/")));
    }
    let is_wanted = |variant: &&Variant| names.is_empty() || names.contains(&variant.name);
    let mut variants: Vec<&Variant> = book.variants.iter().filter(is_wanted).collect();
    variants.sort_by(|a, b| (&a.test.target, &a.off).cmp(&(&b.test.target, &b.off)));
    Ok(variants)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bug_can_be_planted_and_has_its_test() {
        let workspace = Workspace::find().unwrap();
        assert_eq!(check(&workspace, &[]).err(), None);
    }

    #[test]
    fn a_name_that_nobody_has_is_an_error() {
        let workspace = Workspace::find().unwrap();
        let book = Book::read(&workspace).unwrap();
        assert!(chosen(&book, &["no-such-bug".into()]).is_err());
        assert_eq!(chosen(&book, &[]).unwrap().len(), book.variants.len());
    }
}
