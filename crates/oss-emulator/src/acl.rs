//! Canned access control: who may do what without a signature.

use crate::fault::Fault;

/// A canned ACL of a bucket or an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acl {
    /// Objects only: as the bucket says.
    Default,
    Private,
    PublicRead,
    PublicReadWrite,
}

impl Acl {
    pub(crate) fn of_bucket(text: &str) -> Result<Self, Fault> {
        Self::parse(text).filter(|acl| *acl != Self::Default).ok_or_else(|| {
            let why = "no such bucket access control exists: use private, public-read or public-read-write";
            Fault::invalid_argument("x-oss-acl", text, "", why)
        })
    }

    pub(crate) fn of_object(text: &str) -> Result<Self, Fault> {
        Self::parse(text).ok_or_else(|| {
            let why = "no such object access control exists: use default, private, public-read or \
                       public-read-write";
            Fault::invalid_argument("x-oss-object-acl", text, "", why)
        })
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Private => "private",
            Self::PublicRead => "public-read",
            Self::PublicReadWrite => "public-read-write",
        }
    }

    /// The ACL that counts for an object of a bucket with the ACL `bucket`.
    pub(crate) fn or(self, bucket: Self) -> Self {
        if self == Self::Default { bucket } else { self }
    }

    pub(crate) fn lets_anyone_read(self) -> bool {
        matches!(self, Self::PublicRead | Self::PublicReadWrite)
    }

    pub(crate) fn lets_anyone_write(self) -> bool {
        self == Self::PublicReadWrite
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Default, Self::Private, Self::PublicRead, Self::PublicReadWrite]
            .into_iter()
            .find(|acl| acl.as_str() == text)
    }
}
