//! Names as a caller gives them.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};

use oss_endpoint::{BucketName, EndpointError, ObjectKey};

use crate::{Metadata, Payload};

/// A name that was parsed when the caller gave it, with the verdict kept until the request is drafted.
///
/// `PutObject::new("Bad_Bucket", "key", body)` is therefore no panic and needs no `?`: sending it
/// fails with `ErrorKind::Invalid`, before anything leaves. `Checked::default()` is "not named", which only a
/// bucket may be: the operation is then sent to the bucket of the `Service` it goes through.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked<T>(State<T>);

#[derive(Clone, Debug, PartialEq)]
enum State<T> {
    Unnamed,
    Good(T),
    Bad(EndpointError),
}

impl<T> Checked<T> {
    /// The name; `None` when none was given.
    ///
    /// # Errors
    /// The reason why what was given is not such a name.
    pub fn name(&self) -> Result<Option<&T>, &EndpointError> {
        match &self.0 {
            State::Unnamed => Ok(None),
            State::Good(name) => Ok(Some(name)),
            State::Bad(error) => Err(error),
        }
    }
}

impl<T> Checked<T> {
    pub(crate) fn is_unnamed(&self) -> bool {
        matches!(self.0, State::Unnamed)
    }
}

impl<T> Default for Checked<T> {
    fn default() -> Self {
        Self(State::Unnamed)
    }
}

impl<T> From<T> for Checked<T> {
    fn from(name: T) -> Self {
        Self(State::Good(name))
    }
}

impl<T> From<Result<T, EndpointError>> for Checked<T> {
    fn from(parsed: Result<T, EndpointError>) -> Self {
        Self(match parsed {
            Ok(name) => State::Good(name),
            Err(error) => State::Bad(error),
        })
    }
}

/// What a constructor or setter takes for a field of type `T`.
///
/// Like `Into<T>`, with one difference: an integer literal finds its type.
pub trait IntoField<T> {
    /// The field's value.
    fn into_field(self) -> T;
}

impl<T> IntoField<T> for T {
    fn into_field(self) -> T {
        self
    }
}

macro_rules! into_field {
    ($($from:ty => $to:ty: $with:expr;)*) => {$(
        impl IntoField<$to> for $from {
            fn into_field(self) -> $to {
                let with: fn(Self) -> $to = $with;
                with(self)
            }
        }
    )*};
}

into_field! {
    &str => String: |text| text.to_owned();
    &String => String: |text| text.clone();
    &str => Checked<BucketName>: |text| BucketName::parse(text).into();
    &String => Checked<BucketName>: |text| BucketName::parse(text).into();
    String => Checked<BucketName>: |text| BucketName::parse(&text).into();
    BucketName => Checked<BucketName>: Checked::from;
    &BucketName => Checked<BucketName>: |name| Checked::from(name.clone());
    &str => Checked<ObjectKey>: |text| ObjectKey::parse(text).into();
    &String => Checked<ObjectKey>: |text| ObjectKey::parse(text).into();
    String => Checked<ObjectKey>: |text| ObjectKey::parse(&text).into();
    ObjectKey => Checked<ObjectKey>: Checked::from;
    &ObjectKey => Checked<ObjectKey>: |key| Checked::from(key.clone());
    &'static str => Payload: Payload::from;
    &'static [u8] => Payload: Payload::from;
    String => Payload: Payload::from;
    alloc::vec::Vec<u8> => Payload: Payload::from;
    bytes::Bytes => Payload: Payload::from;
}

impl<const N: usize> IntoField<Metadata> for [(&str, &str); N] {
    fn into_field(self) -> Metadata {
        self.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }
}
