//! `cargo xtask no-std`: the proof that the leaves link no std.
//!
//! Builds a generated `staticlib` that brings its own panic handler and depends on every leaf. If a
//! leaf, or anything below it, linked std, there would be two panic handlers and no build. A second
//! one brings no allocator either, for the leaves that promise to need none.

use core::fmt::Write;
use std::path::Path;

use crate::run::{Failure, Outcome, Workspace, finish};
use crate::tidy::dag::{Dag, Layer, Row};

pub(crate) fn no_std(workspace: &Workspace, _: &[String]) -> Result<Outcome, Failure> {
    let dag = Dag::parse(&workspace.read("ARCHITECTURE.md")?).map_err(Failure)?;
    let leaves: Vec<&Row> = dag.rows.iter().filter(|row| row.layer == Layer::Leaf).collect();
    let bare: Vec<&Row> = leaves.iter().copied().filter(|row| row.no_alloc).collect();
    if leaves.is_empty() || bare.is_empty() {
        return Err(Failure::new("ARCHITECTURE.md names no leaf, or none that needs no allocator"));
    }
    prove(workspace, "leaves", &leaves, ALLOCATOR)?;
    prove(workspace, "leaves-without-alloc", &bare, "")?;
    Ok(Outcome::Done(format!("{} leaves without std, {} without alloc", leaves.len(), bare.len())))
}

fn prove(workspace: &Workspace, name: &str, leaves: &[&Row], allocator: &str) -> Result<(), Failure> {
    let folder = workspace.target().join("no-std").join(name);
    let lock = workspace.read("Cargo.lock")?;
    let files = [
        ("Cargo.toml", manifest(workspace.root(), name, leaves)),
        // The versions of the workspace, so that nothing has to be looked up.
        ("Cargo.lock", lock),
        ("lib.rs", library(leaves, allocator)),
    ];
    for (file, text) in files {
        write(&folder.join(file), &text)?;
    }
    let mut command = workspace.cargo(&["build", "--offline", "--quiet", "--manifest-path"]);
    command.arg(folder.join("Cargo.toml"));
    command.arg("--target-dir").arg(workspace.target().join("no-std/target"));
    finish(command)
}

fn manifest(root: &Path, name: &str, leaves: &[&Row]) -> String {
    let mut text = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [workspace]\n\n[lib]\npath = \"lib.rs\"\ncrate-type = [\"staticlib\"]\n\n\
         [profile.dev]\npanic = \"abort\"\n\n[dependencies]\n"
    );
    for leaf in leaves {
        let path = root.join("crates").join(&leaf.name);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} = {{ path = {path:?}, default-features = false }}", leaf.name);
    }
    text
}

fn library(leaves: &[&Row], allocator: &str) -> String {
    let mut text = String::from("#![no_std]\n\n");
    for leaf in leaves {
        let _ = writeln!(text, "extern crate {} as _;", leaf.name.replace('-', "_"));
    }
    text.push_str(PANIC_HANDLER);
    text.push_str(allocator);
    text
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, text))
        .map_err(|error| Failure(format!("cannot write {}: {error}", path.display())))
}

const PANIC_HANDLER: &str = "
#[panic_handler]
fn stop(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
";

// Never called: it only has to link.
const ALLOCATOR: &str = "
struct Nothing;

unsafe impl core::alloc::GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: core::alloc::Layout) -> *mut u8 {
        core::ptr::null_mut()
    }
    unsafe fn dealloc(&self, _: *mut u8, _: core::alloc::Layout) {}
}

#[global_allocator]
static ALLOCATOR: Nothing = Nothing;
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generated_crate_names_every_leaf() {
        let row =
            |name: &str| Row { name: name.into(), layer: Layer::Leaf, no_alloc: false, allowed: Vec::new() };
        let (one, two) = (row("oss-one"), row("oss-two"));
        let text = manifest(Path::new("/ws"), "leaves", &[&one, &two]);
        assert!(text.ends_with("oss-two = { path = \"/ws/crates/oss-two\", default-features = false }\n"));
        assert!(text.contains("panic = \"abort\""));
        let text = library(&[&one, &two], ALLOCATOR);
        assert!(text.contains("extern crate oss_one as _;\nextern crate oss_two as _;\n"));
        assert!(text.contains("#[panic_handler]") && text.contains("#[global_allocator]"));
        assert!(!library(&[&one], "").contains("global_allocator"));
    }
}
