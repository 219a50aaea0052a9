//! A list, page after page.

use oss_proto::{Error, ErrorKind, Outcome, Paged, ReadError, Reply};

use crate::Client;

/// The pages of a list: each is one call, made when it is asked for.
#[derive(Clone, Debug)]
pub struct Pages<O> {
    client: Client,
    next: Next<O>,
    is_strict: bool,
}

#[derive(Clone, Debug)]
enum Next<O> {
    Page(O),
    /// The list says that it goes on but does not move: said once, after the page that said it was given out.
    Stuck(Error),
    End,
}

impl<O: Paged> Pages<O> {
    pub(crate) fn new(client: Client, first: O) -> Self {
        Self { client, next: Next::Page(first), is_strict: false }
    }

    /// Checks each page by [`Paged::check`]: the entries have the prefix that was asked for and lie in their
    /// order behind the marker. A page that fails is not given out.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    /// The next page; `None` after the last one. After an error the same page is asked for again.
    ///
    /// # Errors
    /// When the call fails, or the list goes on without moving on.
    pub async fn next(&mut self) -> Result<Option<Reply<O::Output>>, Error>
    where
        O: Clone,
    {
        let operation = match &self.next {
            Next::Page(operation) => operation,
            Next::End => return Ok(None),
            Next::Stuck(error) => {
                let error = error.clone();
                self.next = Next::End;
                return Err(error);
            }
        };
        let reply = self.client.send(operation.clone()).await?;
        if self.is_strict {
            operation.check(&reply.output).map_err(|error| unreadable(operation, error))?;
        }
        self.next = match operation.next(&reply.output) {
            Ok(Some(next)) => Next::Page(next),
            Ok(None) => Next::End,
            Err(error) => Next::Stuck(unreadable(operation, error)),
        };
        Ok(Some(reply))
    }
}

fn unreadable<O: Paged>(operation: &O, error: ReadError) -> Error {
    let name = operation.draft().map_or("list", |draft| draft.operation);
    Error::new(ErrorKind::Reply(error), name, Outcome::Unknown)
}
