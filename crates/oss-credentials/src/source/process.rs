//! Credentials that another program prints.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use crate::json::Object;
use crate::lookup::{ANSWER_BYTES_MAX, COMMAND_MAX};
use crate::search::{Context, Input, Procedure, Turn};
use crate::source::read;
use crate::{Answer, CommandLookup, CredentialError, Credentials, Lookup, Secret, Source, SourceName};

/// Credentials that another program prints on its standard output, within 60 s and 64 KiB.
///
/// Both forms that the vendor's tools know are read: an object with `AccessKeyId`, `AccessKeySecret` and
/// perhaps `SecurityToken` and `Expiration`, or one with `mode` (`AK` or `StsToken`), `access_key_id`,
/// `access_key_secret` and perhaps `sts_token` and `expiration`.
///
/// The program is started without a shell: nothing is expanded, and no text of another user becomes a
/// command.
///
/// ```
/// use oss_credentials::{Process, Source};
///
/// let source: Source = Process::new("vault-helper").argument("--role").argument("photo reader").into();
/// let same: Source = Process::split(r#"vault-helper --role "photo reader""#)?.into();
/// assert_eq!(source, same);
/// # Ok::<(), oss_credentials::CredentialError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Process {
    program: String,
    arguments: Vec<Secret>,
}

impl Process {
    /// This program: a path, or a name to be looked for as the system does.
    pub fn new(program: impl Into<String>) -> Self {
        Self { program: program.into(), arguments: Vec::new() }
    }

    /// Adds an argument, which the program gets as it is.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<Secret>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Splits a command line at its blanks.
    ///
    /// What stands between two `"` or two `'` belongs together, blanks and all; between two `"`, `\"` and
    /// `\\` stand for `"` and `\`. Any other `\` is itself, so that paths of Windows can be written. Nothing
    /// else has a meaning.
    ///
    /// # Errors
    ///
    /// [`CredentialError::Setting`] when there is no program in it, or a quote without its end.
    pub fn split(command: &str) -> Result<Self, CredentialError> {
        let refuse = |problem| {
            Err(CredentialError::Setting { source: SourceName::Process, name: "the command", problem })
        };
        match words(command) {
            None => refuse("has a quote without its end: add it"),
            Some(words) => match words.split_first() {
                Some((program, arguments)) if !program.is_empty() => {
                    Ok(Self { program: String::from(program.expose()), arguments: arguments.to_vec() })
                }
                _ => refuse("is empty: name a program"),
            },
        }
    }
}

impl From<Process> for Source {
    fn from(process: Process) -> Self {
        Self::Process(process)
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("program", &self.program)
            .field("arguments", &self.arguments.len())
            .finish()
    }
}

#[derive(Debug)]
pub(crate) struct RunProcess(pub(crate) Process);

impl Procedure for RunProcess {
    fn name(&self) -> SourceName {
        SourceName::Process
    }

    fn step(&mut self, input: Input, _: &mut Context<'_>) -> Turn {
        let source = SourceName::Process;
        let answer = match input {
            Input::Begin => return Turn::Ask,
            Input::Answer(Answer::Command(answer)) => answer,
            // It was named, so it cannot just not be there.
            Input::Answer(Answer::Absent) => return Turn::Broken(CredentialError::Unavailable { source }),
            Input::Answer(other) => return read::no_answer(source, other),
            Input::Found(_) | Input::Absent => return Turn::Broken(CredentialError::Mismatch { source }),
        };
        if !answer.is_success {
            return Turn::Broken(CredentialError::ProgramFailed);
        }
        let read = read::object(source, &answer.stdout, ANSWER_BYTES_MAX);
        read.and_then(|object| read_either(&object)).map_or_else(Turn::Broken, Turn::found)
    }

    fn question(&mut self, _: &mut Context<'_>) -> Lookup {
        Lookup::Command(CommandLookup {
            program: self.0.program.clone(),
            arguments: self.0.arguments.clone(),
            timeout: COMMAND_MAX,
            max_bytes: ANSWER_BYTES_MAX,
        })
    }
}

fn read_either(object: &Object) -> Result<Credentials, CredentialError> {
    let source = SourceName::Process;
    let Some(mode) = object.text("mode") else {
        return read::credentials(source, object, read::NAMES);
    };
    match mode.expose() {
        "AK" => read::credentials(source, object, CLI_NAMES),
        "StsToken" => read::temporary(source, object, CLI_NAMES),
        _ => {
            let problem = "is neither AK nor StsToken: let the program print one of these";
            Err(CredentialError::Setting { source, name: "the mode", problem })
        }
    }
}

fn words(command: &str) -> Option<Vec<Secret>> {
    let wrap = |mut word: Zeroizing<String>| Secret::from(core::mem::take(&mut *word));
    let mut words = Vec::new();
    let mut word: Option<Zeroizing<String>> = None;
    let mut letters = command.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_ascii_whitespace() {
            words.extend(word.take().map(wrap));
            continue;
        }
        // A word is never longer than the command, so that it is never moved while it grows.
        let word = word.get_or_insert_with(|| Zeroizing::new(String::with_capacity(command.len())));
        if !matches!(letter, '"' | '\'') {
            word.push(letter);
            continue;
        }
        loop {
            match letters.next()? {
                end if end == letter => break,
                '\\' if letter == '"' => {
                    let escaped = letters.next_if(|next| matches!(next, '"' | '\\'));
                    word.push(escaped.unwrap_or('\\'));
                }
                inner => word.push(inner),
            }
        }
    }
    words.extend(word.map(wrap));
    Some(words)
}

/// The names that the vendor's command line tool uses.
pub(crate) const CLI_NAMES: [&str; 4] = ["access_key_id", "access_key_secret", "sts_token", "expiration"];

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn b67_debug_counts_arguments() {
        let process = Process::new("helper").argument("MARK").argument("MARK");
        assert_eq!(alloc::format!("{process:?}"), "Process { program: \"helper\", arguments: 2 }");
    }

    #[test]
    fn b64_a_command_is_split_and_nothing_expanded() {
        let table = [
            ("helper", Some(vec!["helper"])),
            ("  a\tb\n c ", Some(vec!["a", "b", "c"])),
            (r#"a "b c" 'd e' f"g"'h'"#, Some(vec!["a", "b c", "d e", "fgh"])),
            (r#"a "" ''"#, Some(vec!["a", "", ""])),
            (r#""C:\Program Files\x.exe" C:\y"#, Some(vec![r"C:\Program Files\x.exe", r"C:\y"])),
            (r#"a "say \"hi\" \\" '\"'"#, Some(vec!["a", r#"say "hi" \"#, r#"\""#])),
            (
                "a; rm -rf $HOME | b > c `d` *",
                Some(vec!["a;", "rm", "-rf", "$HOME", "|", "b", ">", "c", "`d`", "*"]),
            ),
            ("密 钥", Some(vec!["密", "钥"])),
            ("a \"b", None),
            ("a 'b\"", None),
            ("a \"b\\", None),
        ];
        for (command, expected) in table {
            let got = words(command);
            let got = got.as_ref().map(|words| words.iter().map(Secret::expose).collect::<Vec<_>>());
            assert_eq!(got, expected, "{command}");
        }
        for empty in ["", "  ", "\"\" a"] {
            assert!(Process::split(empty).is_err(), "{empty}");
        }
    }
}
