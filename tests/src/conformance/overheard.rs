//! A stage that writes down whatever its caller could print.

use alloc::sync::Arc;
use core::fmt::{Debug, Write as _};
use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use oss_proto::{Error, GetObject, Operation, Reply, Verified};

use super::{Content, Stage};
use crate::peer::Peer;

/// What was written down; a clone is the same notes.
#[derive(Clone, Debug, Default)]
pub struct Notes(Arc<Mutex<String>>);

impl Notes {
    /// Writes down how a value shows itself, both ways.
    pub fn show(&self, value: &dyn Debug) {
        self.write(&format!("{value:?}\n{value:#?}\n"));
    }

    /// Writes down an error with all that it leads to.
    pub fn fail(&self, error: &dyn core::error::Error) {
        let mut cause = Some(error);
        while let Some(error) = cause {
            self.write(&format!("{error}\n{error:#}\n{error:?}\n{error:#?}\n"));
            cause = error.source();
        }
    }

    /// Writes down a text.
    pub fn write(&self, text: &str) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.write_str(text).expect("a string takes everything");
    }

    /// What was written down since this was asked last.
    pub fn take(&self) -> String {
        core::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A stage, and notes of all that its calls take and give.
pub struct Overheard<S> {
    /// The stage.
    pub stage: S,
    /// The notes.
    pub notes: Notes,
}

impl<S: Stage> Stage for Overheard<S> {
    fn call<O>(&mut self, operation: &O, content: &Content) -> Result<Reply<O::Output>, Error>
    where
        O: Operation<Output: Debug + Send> + Clone + Debug + Send + Sync + 'static,
    {
        self.notes.show(operation);
        self.notes.show(&operation.draft());
        let result = self.stage.call(operation, content);
        match &result {
            Ok(reply) => self.notes.show(reply),
            Err(error) => note(&self.notes, error),
        }
        result
    }

    fn fetch(&mut self, operation: &GetObject, sink: &mut Vec<u8>) -> Result<Reply<Verified>, Error> {
        self.notes.show(operation);
        let result = self.stage.fetch(operation, sink);
        match &result {
            Ok(reply) => self.notes.show(reply),
            Err(error) => note(&self.notes, error),
        }
        result
    }

    fn pause(&mut self, time: Duration) {
        self.stage.pause(time);
    }

    fn waits(&mut self) -> Option<Vec<Duration>> {
        self.stage.waits()
    }

    fn peer<T>(&mut self, look: impl FnOnce(&mut Peer) -> T) -> T {
        self.stage.peer(look)
    }
}

fn note(notes: &Notes, error: &Error) {
    notes.fail(error);
    notes.show(error.kind());
    notes.show(&error.attempts());
}
