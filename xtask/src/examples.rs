//! `cargo xtask examples`: every example, run against the emulator that it starts in its own process.

use std::process::Command;

use crate::run::{Failure, Outcome, Workspace, finish, output};

pub(crate) fn examples(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let names = names(workspace)?;
    if let Some(unknown) = arguments.iter().find(|name| !names.contains(name)) {
        return Err(Failure(format!("no example {unknown} in {FOLDER}")));
    }
    // The whole workspace, so that what `cargo test` has built is not built again with other features.
    finish(workspace.cargo(&["build", "--quiet", "--workspace", "--examples"]))?;
    let mut count = 0;
    for name in names.iter().filter(|name| arguments.is_empty() || arguments.contains(name)) {
        for variables in environments(name) {
            let said = output(run(workspace, name, variables))?;
            println!("{name}: {}", said.trim_end().replace('\n', &format!("\n{name}: ")));
            count += 1;
        }
    }
    Ok(Outcome::Done(format!("{count} runs did what they show")))
}

/// The names of the examples, in order.
fn names(workspace: &Workspace) -> Result<Vec<String>, Failure> {
    let unreadable = |error: std::io::Error| Failure(format!("cannot read {FOLDER}: {error}"));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(workspace.root().join(FOLDER)).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.file_name();
        names.extend(file.to_str().and_then(|file| file.strip_suffix(".rs")).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// The variables of each run: what an example does when it finds none, and what else it shows.
fn environments(name: &str) -> &'static [&'static [(&'static str, &'static str)]] {
    match name {
        "credentials_environment" => &[
            &[],
            &[("OSS_ACCESS_KEY_ID", "an-id"), ("OSS_ACCESS_KEY_SECRET", "a-secret")],
            &[
                ("OSS_ACCESS_KEY_ID", "STS.an-id"),
                ("OSS_ACCESS_KEY_SECRET", "a-secret"),
                ("OSS_SESSION_TOKEN", "a-token"),
            ],
        ],
        _ => &[&[]],
    }
}

fn run(workspace: &Workspace, name: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = workspace.cargo(&["run", "--quiet", "--example", name]);
    // Whoever has an account in the environment does not mean these programs.
    for (variable, _) in std::env::vars_os() {
        let is_ours = variable.to_str().is_some_and(|variable| variable.starts_with("OSS_"));
        if is_ours {
            command.env_remove(variable);
        }
    }
    command.envs(variables.iter().copied());
    command
}

const FOLDER: &str = "crates/oss-hyper/examples";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_are_found_by_name() {
        let workspace = Workspace::find().unwrap();
        let names = names(&workspace).unwrap();
        assert!(names.contains(&"quickstart".to_owned()) && !names.contains(&"stage".to_owned()));
        assert!(names.is_sorted());
        let failure = examples(&workspace, &["no-such".to_owned()]).unwrap_err();
        assert_eq!(failure.to_string(), "no example no-such in crates/oss-hyper/examples");
    }

    #[test]
    fn a_run_has_the_variables_of_its_example_and_no_others() {
        let workspace = Workspace::find().unwrap();
        let runs = environments("credentials_environment");
        assert_eq!((runs.len(), environments("default_region").len()), (3, 1));
        let command = run(&workspace, "credentials_environment", runs[2]);
        let token = command.get_envs().find(|(name, _)| *name == "OSS_SESSION_TOKEN");
        assert_eq!(token.and_then(|(_, value)| value), Some("a-token".as_ref()));
    }
}
