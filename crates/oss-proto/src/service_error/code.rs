//! The codes of OSS's errors.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

/// The code of an error, such as `NoSuchKey`: what a program branches on.
///
/// Codes that this version does not know are codes all the same; compare with a `&str`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ErrorCode(Cow<'static, str>);

impl ErrorCode {
    /// The code as OSS writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        impl ErrorCode {
            $(
                $(#[$doc])*
                #[doc = concat!("`", $code, "`.")]
                pub const $name: Self = Self(Cow::Borrowed($code));
            )*
        }

        #[cfg(test)]
        const CODES: &[&str] = &[$($code),*];
    };
}

codes! {
    ACCESS_DENIED = "AccessDenied";
    /// No code of OSS: what came was no error document.
    BAD_ERROR_RESPONSE = "BadErrorResponse";
    BUCKET_ALREADY_EXISTS = "BucketAlreadyExists";
    BUCKET_NOT_EMPTY = "BucketNotEmpty";
    CALLBACK_FAILED = "CallbackFailed";
    ENTITY_TOO_LARGE = "EntityTooLarge";
    ENTITY_TOO_SMALL = "EntityTooSmall";
    FILE_ALREADY_EXISTS = "FileAlreadyExists";
    FILE_IMMUTABLE = "FileImmutable";
    INTERNAL_ERROR = "InternalError";
    INVALID_ACCESS_KEY_ID = "InvalidAccessKeyId";
    INVALID_ARGUMENT = "InvalidArgument";
    INVALID_BUCKET_NAME = "InvalidBucketName";
    INVALID_DIGEST = "InvalidDigest";
    INVALID_OBJECT_NAME = "InvalidObjectName";
    INVALID_OBJECT_STATE = "InvalidObjectState";
    INVALID_PART = "InvalidPart";
    INVALID_PART_ORDER = "InvalidPartOrder";
    INVALID_RANGE = "InvalidRange";
    INVALID_SECURITY_TOKEN = "InvalidSecurityToken";
    MALFORMED_XML = "MalformedXML";
    METHOD_NOT_ALLOWED = "MethodNotAllowed";
    MISSING_CONTENT_LENGTH = "MissingContentLength";
    NO_SUCH_BUCKET = "NoSuchBucket";
    NO_SUCH_KEY = "NoSuchKey";
    NO_SUCH_UPLOAD = "NoSuchUpload";
    NO_SUCH_VERSION = "NoSuchVersion";
    /// Under status 304.
    NOT_MODIFIED = "NotModified";
    OBJECT_ALREADY_EXISTS = "ObjectAlreadyExists";
    OBJECT_NOT_APPENDABLE = "ObjectNotAppendable";
    OPERATION_NOT_SUPPORTED = "OperationNotSupported";
    POSITION_NOT_EQUAL_TO_LENGTH = "PositionNotEqualToLength";
    /// Under status 412.
    PRECONDITION_FAILED = "PreconditionFailed";
    QPS_LIMIT_EXCEEDED = "QpsLimitExceeded";
    REQUEST_TIME_TOO_SKEWED = "RequestTimeTooSkewed";
    REQUEST_TIMEOUT = "RequestTimeout";
    RESTORE_ALREADY_IN_PROGRESS = "RestoreAlreadyInProgress";
    SECURITY_TOKEN_EXPIRED = "SecurityTokenExpired";
    SERVICE_UNAVAILABLE = "ServiceUnavailable";
    SIGNATURE_DOES_NOT_MATCH = "SignatureDoesNotMatch";
    SLOW_DOWN = "SlowDown";
    TOO_MANY_BUCKETS = "TooManyBuckets";
}

impl From<&'static str> for ErrorCode {
    fn from(code: &'static str) -> Self {
        Self(Cow::Borrowed(code))
    }
}

impl From<String> for ErrorCode {
    fn from(code: String) -> Self {
        Self(Cow::Owned(code))
    }
}

impl PartialEq<str> for ErrorCode {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for ErrorCode {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl AsRef<str> for ErrorCode {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn codes_compare_with_text_and_are_listed_in_order() {
        assert!(ErrorCode::NO_SUCH_KEY == "NoSuchKey" && ErrorCode::NO_SUCH_KEY == *"NoSuchKey");
        assert_eq!(ErrorCode::from(String::from("NoSuchKey")), ErrorCode::NO_SUCH_KEY);
        assert_eq!(
            format!("{} {:?}", ErrorCode::NO_SUCH_KEY, ErrorCode::NO_SUCH_KEY),
            "NoSuchKey \"NoSuchKey\""
        );
        assert!(CODES.iter().all(|code| code.bytes().all(|b| b.is_ascii_alphanumeric())));
        let mut unique = CODES.to_vec();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), CODES.len());
    }
}
