//! A list, page after page.

use oss_proto::{Error, ErrorKind, Outcome, Paged, Reply};

use crate::Client;

/// The pages of a list: each is one call, made when it is asked for.
#[derive(Clone, Debug)]
pub struct Pages<O> {
    client: Client,
    next: Next<O>,
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
        Self { client, next: Next::Page(first) }
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
        self.next = match operation.next(&reply.output) {
            Ok(Some(next)) => Next::Page(next),
            Ok(None) => Next::End,
            Err(error) => {
                let name = operation.draft().map_or("list", |draft| draft.operation);
                Next::Stuck(Error::new(ErrorKind::Reply(error), name, Outcome::Unknown))
            }
        };
        Ok(Some(reply))
    }
}
