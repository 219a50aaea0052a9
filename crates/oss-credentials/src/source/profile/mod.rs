//! Files of profiles: which file is read, which profile of it, and what that says.

pub(crate) mod cli;
pub(crate) mod ini_file;
pub(crate) mod sso;

use alloc::boxed::Box;
use alloc::string::String;
use core::{fmt, iter};

use crate::lookup::FILE_BYTES_MAX;
use crate::search::{Below, Context, Input, Procedure, Turn};
use crate::source::home::{FilePath, HOMES};
use crate::source::{ecs, read};
use crate::{Answer, CredentialError, FileLookup, Lookup, Secret, SecretBytes, SourceName};

/// Which file and which profile the program chose; both may be left to others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) file: Option<String>,
    pub(crate) profile: Option<String>,
}

/// Who named the profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Program(String),
    Environment(String),
    /// The file itself, or nobody.
    File,
}

/// A kind of file.
pub(crate) trait Format: fmt::Debug + Send + Sync {
    const SOURCE: SourceName;
    /// The variable that says to leave it out.
    const SWITCH: Option<&'static str>;
    /// Those that say which file, and which profile.
    const VARIABLES: [&'static str; 2];
    /// Where it is when nobody says so, the first of them that is there.
    const FILES: &'static [&'static str];

    /// What to do when the environment names a profile and there is no file.
    const NO_FILE_FOR_NAMED: Option<&'static str>;

    /// What asks the source that the profile stands for; `Err(Ok(why))` when there is none.
    fn source(
        bytes: &SecretBytes,
        named: &Named,
        context: &Context<'_>,
    ) -> Result<Box<dyn Procedure>, Refusal>;
}

/// Why a profile brings nothing.
#[derive(Debug)]
pub(crate) enum Refusal {
    Absent(&'static str),
    Broken(CredentialError),
}

impl From<CredentialError> for Refusal {
    fn from(error: CredentialError) -> Self {
        Self::Broken(error)
    }
}

/// Asks for variables and a file, then the source that a profile of it stands for.
///
/// ```text
///   Variables ──▶ File ──there──▶ the source of the profile ──▶ found
///                 │  ▲
///    not there    └──┘ the next place where it may be
/// ```
#[derive(Debug)]
pub(crate) struct ReadProfile<F> {
    choice: Choice,
    named: Named,
    /// `None` while the variables are asked for.
    path: Option<FilePath>,
    /// The home, while there are other places to look at.
    home: Option<Secret>,
    place: usize,
    format: core::marker::PhantomData<F>,
}

impl<F: Format> ReadProfile<F> {
    pub(crate) fn new(choice: Choice) -> Self {
        let format = core::marker::PhantomData;
        Self { choice, named: Named::File, path: None, home: None, place: 0, format }
    }

    fn read_variables(&mut self, answer: Answer) -> Turn {
        let answer = match (answer, F::SWITCH) {
            (Answer::Env(values), None) => Answer::Env(iter::once(None).chain(values).collect()),
            (answer, _) => answer,
        };
        let [disabled, file, profile, home, user_profile] = match read::variables::<5>(F::SOURCE, answer) {
            Ok(values) => values,
            Err(turn) => return turn,
        };
        if disabled.is_some_and(|value| ecs::is_true(value.expose())) {
            return Turn::Absent("it is switched off by its variable");
        }
        let profile = profile.map(|name| String::from(name.expose()));
        self.named = match (self.choice.profile.take(), profile) {
            (Some(name), _) => Named::Program(name),
            (None, Some(name)) => Named::Environment(name),
            (None, None) => Named::File,
        };
        let file = self.choice.file.take().or_else(|| file.map(|file| String::from(file.expose())));
        if let Some(file) = file {
            let mut path = FilePath::new(file);
            if path.is_in_home()
                && let Err(error) = path.resolve(F::SOURCE, [home, user_profile])
            {
                return Turn::Broken(error);
            }
            self.path = Some(path);
            return Turn::Ask;
        }
        self.home = home.or(user_profile);
        self.try_place()
    }

    /// Asks for the file in the next of its usual places.
    fn try_place(&mut self) -> Turn {
        let Some(home) = &self.home else {
            return self.no_file("neither HOME nor USERPROFILE is set");
        };
        let Some(place) = F::FILES.get(self.place) else {
            return self.no_file("there is no such file");
        };
        self.place += 1;
        let mut path = FilePath::new(String::from(*place));
        if let Err(error) = path.resolve(F::SOURCE, [Some(home.clone()), None]) {
            return Turn::Broken(error);
        }
        self.path = Some(path);
        Turn::Ask
    }

    fn no_file(&self, why: &'static str) -> Turn {
        match (&self.named, F::NO_FILE_FOR_NAMED) {
            (Named::Program(_), _) => {
                let problem = "is named, and there is no file of profiles: create it, or name its file";
                Turn::Broken(CredentialError::Setting { source: F::SOURCE, name: "the profile", problem })
            }
            (Named::Environment(_), Some(problem)) => {
                Turn::Broken(CredentialError::Setting { source: F::SOURCE, name: F::VARIABLES[1], problem })
            }
            _ => Turn::Absent(why),
        }
    }

    fn read_file(&mut self, answer: Answer, context: &mut Context<'_>) -> Turn {
        let file = match answer {
            Answer::File(file) => file,
            Answer::Absent if self.place > 0 => return self.try_place(),
            Answer::Absent => {
                let problem = "is named, and is not there: create it, or name another";
                return Turn::Broken(CredentialError::Setting {
                    source: F::SOURCE,
                    name: "the file",
                    problem,
                });
            }
            other => return read::no_answer(F::SOURCE, other),
        };
        if file.is_open_to_others {
            context.notes.warn(F::SOURCE, "other users of the machine may read its file: chmod 600 it");
        }
        if file.bytes.expose().len() > FILE_BYTES_MAX {
            return Turn::Broken(CredentialError::TooLong { source: F::SOURCE });
        }
        match F::source(&file.bytes, &self.named, context) {
            Ok(procedure) => Turn::Open(Below::Procedure(procedure)),
            Err(Refusal::Absent(why)) => Turn::Absent(why),
            Err(Refusal::Broken(error)) => Turn::Broken(error),
        }
    }
}

impl<F: Format> Procedure for ReadProfile<F> {
    fn name(&self) -> SourceName {
        F::SOURCE
    }

    fn step(&mut self, input: Input, context: &mut Context<'_>) -> Turn {
        match input {
            Input::Begin => Turn::Ask,
            Input::Answer(answer) if self.path.is_none() => self.read_variables(answer),
            Input::Answer(answer) => self.read_file(answer, context),
            Input::Found(grant) => Turn::Found(grant),
            Input::Absent => {
                let problem = "stands for a source that is not there: choose another mode for it";
                Turn::Broken(CredentialError::Setting { source: F::SOURCE, name: "the profile", problem })
            }
        }
    }

    fn question(&mut self, _: &mut Context<'_>) -> Lookup {
        match &self.path {
            Some(path) => Lookup::File(FileLookup { path: path.path.clone(), max_bytes: FILE_BYTES_MAX }),
            None => Lookup::Env(F::SWITCH.into_iter().chain(F::VARIABLES).chain(HOMES).collect()),
        }
    }
}
