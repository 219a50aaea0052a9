//! The tables: `operation!`, `shape!` and `words!`.
//!
//! The whole grammar is one sentence: **`field: Type = place "wire-name"`**.
//!
//! ```text
//! operation! {
//!     /// Uploads an object in one request.
//!     PutObject = PUT Object typed checked [] (  // method, scope, fixed query; scope Object brings `bucket`
//! and
//! `key`
//!         body: Payload = body,              // required: an argument of `new` and `to`
//!     ) {
//!         /// Media type stored with the object.
//!         content_type: String = header "content-type",       // optional: a setter of the same name
//!     } => Conditional if forbid_overwrite                     // what a field's value changes; may be
//! absent
//!     -> head PutObjectOutput {
//!         etag: Option<ETag> = header "etag",
//!     }
//! }
//! ```
//!
//! | place | in a request | in an answer |
//! | --- | --- | --- |
//! | `header "n"` | a header | a header |
//! | `prefix "n"` | one header an entry of a [`Metadata`](crate::Metadata) | the same |
//! | `query "n"` | a query parameter | |
//! | `header "n" or "v"` | a header that is sent as `v` when the field is not set | |
//! | `body` | the payload as it is | the bytes as they are |
//! | `form "n"` | the body `n=…`, with its MD5 | |
//! | `carried` | nothing is sent: the CRC-64 of what lies before an append | |
//! | `expected "size"`, `"crc64"` | nothing is sent: what the object will be | |
//! | `xml "Root"` | an XML body, with its MD5 | an element |
//! | `root "Root"` | | the text of the root element |
//! | `json "n"` | | a member of a JSON object |
//! | `url "Name"` | | an element that is percent-decoded when the answer says `EncodingType` `url` |
//!
//! In an answer `xml "Outer" > "Inner"` looks one level deeper, and `xml "A" | "B"` takes elements of both
//! names in the order in which they come.
//!
//! Fixed query parameters are written `["list-type" = "2", "acl" = ""]`. Answers are `none`, `head Output { …
//! }`,
//! `xml "Root" Output { … }`, `collect Output { … }` or `stream Output { … }`. Before the brackets may stand
//! flags:
//!
//! | flag | meaning |
//! | --- | --- |
//! | `slow` | OSS may be silent for minutes before, and while, it answers |
//! | `typed` | a missing `content-type` is derived from the key's extension |
//! | `checked` | the CRC-64 in the answer is that of the body we sent |
//! | `versioned` | in a versioned bucket each arrival makes a version |
//!
//! `POST: Orphaning` replaces the effect that follows from the method; `gone "NoSuchUpload"`, before the
//! answer, names the error that means "already done" after an attempt whose outcome is unknown; several are
//! separated by `|`.
//!
//! What the table above expands to, shortened:
//!
//! ```text
//! #[non_exhaustive] pub struct PutObject { pub bucket: Checked<BucketName>, pub key: Checked<ObjectKey>,
//!                                          pub body: Payload, pub content_type: Option<String>, … }
//! impl PutObject { pub fn new(bucket, key, body) -> Self; pub fn to(key, body) -> Self;
//!                  pub fn content_type(self, value: impl IntoField<String>) -> Self; … }
//! impl Tabled for PutObject {
//!     const SPEC: &'static Spec = &Spec { name: "PutObject", method: "PUT", …, fields: &[Row { … }, …] };
//! }
//! impl Operation for PutObject {
//!     type Output = PutObjectOutput;
//!     fn draft(&self) -> Result<Draft, InvalidRequest> { …; draft.put_header("content-type",
//! &self.content_type)?; … }
//!     fn read(head: &ReplyHead, body: Bytes) -> Result<PutObjectOutput, ReadError> { … }
//! }
//! ```

#[macro_use]
mod answer;
#[macro_use]
mod shape;

/// One operation of OSS: see the [module](self).
macro_rules! operation {
    (
        $(#[$doc:meta])*
        $name:ident = $method:ident $(: $base:ident)? $scope:ident $($flag:ident)*
        [$($fixed:literal = $value:literal),* $(,)?]
        ($($(#[$req_doc:meta])* $req:ident: $req_ty:ty = $req_place:ident $($req_wire:literal)?),* $(,)?)
        {$($(#[$opt_doc:meta])* $opt:ident: $opt_ty:ty
            = $opt_place:ident $($opt_wire:literal)? $(or $default:literal)?),* $(,)?}
        $(=> $($effect:ident if $cause:ident),+)?
        $(gone $($gone:literal)|+)?
        -> $kind:ident $($rest:tt)*
    ) => {
        request_struct! {
            $scope
            $(#[$doc])*
            $name
            ($($(#[$req_doc])* $req: $req_ty),*)
            {$($(#[$opt_doc])* $opt: $opt_ty),*}
        }

        impl crate::Tabled for $name {
            const SPEC: &'static crate::Spec = &crate::Spec {
                name: stringify!($name),
                method: stringify!($method),
                scope: crate::Scope::$scope,
                fixed: &[$(($fixed, $value)),*],
                effect: effect_of!($method $($base)?),
                reply: reply_kind!($kind $($rest)*),
                fields: &[
                    $(row!(true, $req: $req_ty, $req_place $($req_wire)?),)*
                    $(row!(false, $opt: $opt_ty, $opt_place $($opt_wire)?),)*
                ],
                answer: answer_rows!($kind $($rest)*),
                slow: has_flag!(slow: $($flag)*),
            };
        }

        impl crate::Operation for $name {
            type Output = output_type!($kind $($rest)*);

            fn draft(&self) -> Result<crate::Draft, crate::InvalidRequest> {
                let mut draft = crate::Draft::of(<Self as crate::Tabled>::SPEC, http::Method::$method);
                draft.detects_content_type = has_flag!(typed: $($flag)*);
                draft.makes_version = has_flag!(versioned: $($flag)*);
                if has_flag!(checked: $($flag)*) {
                    draft.checksum = crate::Checksum::Body;
                }
                $(draft.gone_codes = &[$($gone),+];)?
                $($(if crate::table::Raised::is_raised(&self.$cause) {
                    draft.effect = crate::Effect::$effect;
                })+)?
                put_scope!($scope self draft);
                $(draft.put_fixed($fixed, $value);)*
                $(put!(draft, self.$req, $req_place $($req_wire)?);)*
                $(put!(draft, self.$opt, $opt_place $($opt_wire)? $(or $default)?);)*
                Ok(draft)
            }

            fn read(head: &crate::ReplyHead, body: &bytes::Bytes) -> Result<Self::Output, crate::ReadError> {
                read_answer!(head, body, $kind $($rest)*)
            }
        }

        output_struct!($name $kind $($rest)*);
    };
}

/// The struct of a request with its constructors and setters.
macro_rules! request_struct {
    (Service $($rest:tt)*) => { request_struct!(@ () ; $($rest)*); };
    (Bucket $($rest:tt)*) => {
        request_struct!(@ (
            /// The bucket; not named means the bucket of the service that the operation is sent through.
            bucket: oss_endpoint::BucketName,
        ) ; $($rest)*);
    };
    (Object $($rest:tt)*) => {
        request_struct!(@ (
            /// The bucket; not named means the bucket of the service that the operation is sent through.
            bucket: oss_endpoint::BucketName,
            /// The object key.
            key: oss_endpoint::ObjectKey,
        ) ; $($rest)*);
    };
    (@ ($($(#[$at_doc:meta])* $at:ident: $at_ty:ty,)*) ;
        $(#[$doc:meta])* $name:ident
        ($($(#[$req_doc:meta])* $req:ident: $req_ty:ty),*)
        {$($(#[$opt_doc:meta])* $opt:ident: $opt_ty:ty),*}
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$at_doc])* pub $at: crate::Checked<$at_ty>,)*
            $($(#[$req_doc])* pub $req: $req_ty,)*
            $($(#[$opt_doc])* pub $opt: Option<$opt_ty>,)*
        }

        impl $name {
            /// The operation with everything it requires.
            #[allow(clippy::new_without_default, reason = "an operation is made by name")]
            pub fn new($($at: impl crate::IntoField<crate::Checked<$at_ty>>,)*
                       $($req: impl crate::IntoField<$req_ty>),*) -> Self {
                Self { $($at: $at.into_field(),)* $($req: $req.into_field(),)* $($opt: None,)* }
            }

            $($(#[$opt_doc])*
            #[must_use]
            pub fn $opt(mut self, value: impl crate::IntoField<$opt_ty>) -> Self {
                self.$opt = Some(value.into_field());
                self
            })*
        }
        request_to!(($($at)*) $name ($($req: $req_ty),*) {$($opt),*});
    };
}

/// `to(…)`: the operation in the bucket of the service.
macro_rules! request_to {
    (() $($rest:tt)*) => {};
    ((bucket) $name:ident ($($req:ident: $req_ty:ty),*) {$($opt:ident),*}) => {
        impl $name {
            /// The operation in the bucket of the service that it is sent through.
            #[allow(clippy::new_without_default, reason = "an operation is made by name")]
            pub fn here($($req: impl crate::IntoField<$req_ty>),*) -> Self {
                Self { bucket: crate::Checked::default(), $($req: $req.into_field(),)* $($opt: None,)* }
            }
        }
    };
    ((bucket key) $name:ident ($($req:ident: $req_ty:ty),*) {$($opt:ident),*}) => {
        impl $name {
            /// The operation on a key in the bucket of the service that it is sent through.
            pub fn to(key: impl crate::IntoField<crate::Checked<oss_endpoint::ObjectKey>>,
                      $($req: impl crate::IntoField<$req_ty>),*) -> Self {
                Self {
                    bucket: crate::Checked::default(),
                    key: key.into_field(),
                    $($req: $req.into_field(),)*
                    $($opt: None,)*
                }
            }
        }
    };
}

/// The effect of a method, unless the table says otherwise.
macro_rules! effect_of {
    ($method:ident $base:ident) => {
        crate::Effect::$base
    };
    (GET) => {
        crate::Effect::Read
    };
    (HEAD) => {
        crate::Effect::Read
    };
    (PUT) => {
        crate::Effect::Idempotent
    };
    (DELETE) => {
        crate::Effect::Idempotent
    };
    (POST) => {
        crate::Effect::Once
    };
}

macro_rules! has_flag {
    ($wanted:ident:) => { false };
    (slow: slow $($rest:ident)*) => { true };
    (typed: typed $($rest:ident)*) => { true };
    (checked: checked $($rest:ident)*) => { true };
    (versioned: versioned $($rest:ident)*) => { true };
    ($wanted:ident: slow $($rest:ident)*) => { has_flag!($wanted: $($rest)*) };
    ($wanted:ident: typed $($rest:ident)*) => { has_flag!($wanted: $($rest)*) };
    ($wanted:ident: checked $($rest:ident)*) => { has_flag!($wanted: $($rest)*) };
    ($wanted:ident: versioned $($rest:ident)*) => { has_flag!($wanted: $($rest)*) };
    ($wanted:ident: $other:ident $($rest:ident)*) => {
        compile_error!(concat!(
            "`", stringify!($other), "` is no flag of an operation; they are slow, typed, checked, versioned"
        ))
    };
}

macro_rules! row {
    ($required:literal, $field:ident: $ty:ty, $place:ident) => { row!($required, $field: $ty, $place "") };
    ($required:literal, $field:ident: $ty:ty, $place:ident $wire:expr) => {
        crate::Row {
            field: stringify!($field),
            place: stringify!($place),
            wire: $wire,
            required: $required,
            inside: inside!($place $ty),
        }
    };
}

/// The rows of the structure that an element holds.
macro_rules! inside {
    (xml $ty:ty) => {
        <<$ty as crate::Occurs>::Item as crate::xml::Element>::ROWS
    };
    ($place:ident $ty:ty) => {
        &[]
    };
}

macro_rules! put_scope {
    (Service $self:ident $draft:ident) => {};
    (Bucket $self:ident $draft:ident) => {
        $draft.put_bucket(&$self.bucket)?;
    };
    (Object $self:ident $draft:ident) => {
        $draft.put_bucket(&$self.bucket)?;
        $draft.put_key(&$self.key)?;
    };
}

/// Puts one field of a request in its place.
macro_rules! put {
    ($draft:ident, $self:ident.$field:ident, header $wire:literal) => {
        $draft.put_header($wire, &$self.$field)?;
    };
    ($draft:ident, $self:ident.$field:ident, header $wire:literal or $default:literal) => {
        $draft.put_header($wire, &$self.$field)?;
        if $self.$field.is_none() {
            $draft.put_default($wire, $default);
        }
    };
    ($draft:ident, $self:ident.$field:ident, query $wire:literal) => {
        $draft.put_query($wire, &$self.$field)?;
    };
    ($draft:ident, $self:ident.$field:ident, prefix $wire:literal) => {
        $draft.put_prefix($wire, $self.$field.as_ref())?;
    };
    ($draft:ident, $self:ident.$field:ident, xml $wire:literal) => {
        $draft.put_xml($wire, &$self.$field)?;
    };
    ($draft:ident, $self:ident.$field:ident, form $wire:literal) => {
        $draft.put_form($wire, &$self.$field)?;
    };
    ($draft:ident, $self:ident.$field:ident, carried) => {
        $draft.put_carried($self.$field);
    };
    ($draft:ident, $self:ident.$field:ident, expected $what:literal) => {
        $draft.put_expected($what, $self.$field);
    };
    ($draft:ident, $self:ident.$field:ident, body) => {
        $draft.put_body(&$self.$field);
    };
    ($draft:ident, $self:ident.$field:ident, $place:ident $($rest:tt)*) => {
        compile_error!(concat!(
            "`",
            stringify!($place),
            "` in `",
            stringify!($field),
            "` is no place of a request; they are header, query, prefix, xml, form, expected (with a name), \
             body and carried"
        ));
    };
}

/// Whether a field that changes an operation's effect is set to do so.
pub(crate) trait Raised {
    fn is_raised(&self) -> bool;
}

impl Raised for Option<bool> {
    fn is_raised(&self) -> bool {
        *self == Some(true)
    }
}

impl Raised for Option<crate::Callback> {
    fn is_raised(&self) -> bool {
        self.is_some()
    }
}
