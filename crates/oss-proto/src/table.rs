//! The tables: `operation!`, `shape!` and `words!`.
//!
//! The whole grammar is one sentence: **`field: Type = place "wire-name"`**.
//!
//! ```text
//! operation! {
//!     /// Uploads an object in one request.
//!     PutObject = PUT Object [] (            // method, scope, fixed query; scope Object brings `bucket` and `key`
//!         body: Payload = body,              // required: an argument of `new` and `to`
//!     ) {
//!         /// Media type stored with the object.
//!         content_type: String = header "content-type",       // optional: a setter of the same name
//!     } => Conditional if forbid_overwrite                     // what a field's value changes; may be absent
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
//! | `xml "Root"` | an XML body, with its MD5 | an element; `xml "Outer" > "Inner"` looks one level deeper |
//! | `url "Name"` | | an element that is percent-decoded when the answer says `EncodingType` `url` |
//!
//! Fixed query parameters are written `["list-type" = "2", "acl" = ""]`. Answers are `none`, `head Output { … }`,
//! `xml "Root" Output { … }`, `collect Output { … }` or `stream Output { … }`. Before the brackets may stand
//! `slow` (OSS may think for minutes before it answers) and `typed` (a missing `content-type` is derived from the key).
//! `POST: Orphaning` replaces the effect that follows from the method.
//!
//! What the table above expands to, shortened:
//!
//! ```text
//! #[non_exhaustive] pub struct PutObject { pub bucket: Checked<BucketName>, pub key: Checked<ObjectKey>,
//!                                          pub body: Payload, pub content_type: Option<String>, … }
//! impl PutObject { pub fn new(bucket, key, body) -> Self; pub fn to(key, body) -> Self;
//!                  pub fn content_type(self, value: impl IntoField<String>) -> Self; … }
//! impl Operation for PutObject {
//!     const SPEC: &'static Spec = &Spec { name: "PutObject", method: "PUT", …, fields: &[Row { … }, …] };
//!     type Output = PutObjectOutput;
//!     fn effect(&self) -> Effect { if self.forbid_overwrite.is_raised() { Effect::Conditional } else { … } }
//!     fn draft(&self) -> Result<Draft, InvalidRequest> { …; draft.put_header("content-type", &self.content_type)?; … }
//!     fn read(head: &ReplyHead, body: Bytes) -> Result<PutObjectOutput, ReadError> { … }
//! }
//! ```

/// One operation of OSS: see the [module](self).
macro_rules! operation {
    (
        $(#[$doc:meta])*
        $name:ident = $method:ident $(: $base:ident)? $scope:ident $($flag:ident)*
        [$($fixed:literal = $value:literal),* $(,)?]
        ($($(#[$req_doc:meta])* $req:ident: $req_ty:ty = $req_place:ident $($req_wire:literal)?),* $(,)?)
        {$($(#[$opt_doc:meta])* $opt:ident: $opt_ty:ty = $opt_place:ident $($opt_wire:literal)? $(or $default:literal)?),* $(,)?}
        $(=> $($effect:ident if $cause:ident),+)?
        -> $kind:ident $($rest:tt)*
    ) => {
        request_struct! {
            $scope
            $(#[$doc])*
            $name
            ($($(#[$req_doc])* $req: $req_ty),*)
            {$($(#[$opt_doc])* $opt: $opt_ty),*}
        }

        impl crate::Operation for $name {
            const SPEC: &'static crate::Spec = &crate::Spec {
                name: stringify!($name),
                method: stringify!($method),
                scope: crate::Scope::$scope,
                fixed: &[$(($fixed, $value)),*],
                effect: effect_of!($method $($base)?),
                reply: reply_kind!($kind $($rest)*),
                fields: &[
                    $(row!(true, $req $req_place $($req_wire)?),)*
                    $(row!(false, $opt $opt_place $($opt_wire)?),)*
                ],
                answer: answer_rows!($kind $($rest)*),
                slow: has_flag!(slow: $($flag)*),
            };

            type Output = output_type!($kind $($rest)*);

            fn effect(&self) -> crate::Effect {
                $($(if crate::table::Raised::is_raised(&self.$cause) {
                    return crate::Effect::$effect;
                })+)?
                Self::SPEC.effect
            }

            fn draft(&self) -> Result<crate::Draft, crate::InvalidRequest> {
                let mut draft = crate::Draft::new(stringify!($name), http::Method::$method, crate::Scope::$scope);
                draft.detects_content_type = has_flag!(typed: $($flag)*);
                put_scope!($scope self draft);
                $(draft.query.push((alloc::borrow::Cow::Borrowed($fixed), alloc::string::String::from($value)));)*
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
    ($wanted:ident: slow $($rest:ident)*) => { has_flag!($wanted: $($rest)*) };
    ($wanted:ident: typed $($rest:ident)*) => { has_flag!($wanted: $($rest)*) };
    ($wanted:ident: $other:ident $($rest:ident)*) => {
        compile_error!(concat!("`", stringify!($other), "` is no flag of an operation; the flags are slow and typed"))
    };
}

macro_rules! row {
    ($required:literal, $field:ident $place:ident) => { row!($required, $field $place "") };
    ($required:literal, $field:ident $place:ident $wire:literal) => {
        crate::Row { field: stringify!($field), place: stringify!($place), wire: $wire, required: $required }
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
            let default = (alloc::borrow::Cow::Borrowed($wire), alloc::string::String::from($default));
            $draft.default_headers.push(default);
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
    ($draft:ident, $self:ident.$field:ident, body) => {
        $draft.put_body(&$self.$field);
    };
    ($draft:ident, $self:ident.$field:ident, $place:ident $($rest:tt)*) => {
        compile_error!(concat!("`", stringify!($place), "` in `", stringify!($field),
            "` is no place of a request; the places are header, query, prefix, xml (each with a wire name) and body"));
    };
}

macro_rules! reply_kind {
    (none) => {
        crate::ReplyKind::Head
    };
    (head $($rest:tt)*) => {
        crate::ReplyKind::Head
    };
    (xml $root:literal $($rest:tt)*) => {
        crate::ReplyKind::Xml { root: $root }
    };
    (collect $($rest:tt)*) => {
        crate::ReplyKind::Collect
    };
    (stream $($rest:tt)*) => {
        crate::ReplyKind::Stream
    };
    ($kind:ident $($rest:tt)*) => {
        compile_error!(concat!(
            "`",
            stringify!($kind),
            "` is no kind of answer; the kinds are none, head, xml, ",
            "collect and stream"
        ))
    };
}

macro_rules! output_type {
    (none) => {
        ()
    };
    ($kind:ident $($root:literal)? $output:ident {$($rest:tt)*}) => {
        $output
    };
}

macro_rules! answer_rows {
    (none) => { &[] };
    ($kind:ident $($root:literal)? $output:ident {
        $($(#[$doc:meta])* $field:ident: $ty:ty = $place:ident $($wire:literal $(> $inner:literal)?)?),* $(,)?
    }) => {
        &[$(row!(false, $field $place $($wire)?)),*]
    };
}

/// The struct of an answer.
macro_rules! output_struct {
    ($op:ident none) => {};
    ($op:ident $kind:ident $($root:literal)? $output:ident {
        $($(#[$doc:meta])* $field:ident: $ty:ty = $place:ident $($wire:literal $(> $inner:literal)?)?),* $(,)?
    }) => {
        #[doc = concat!("The answer to [`", stringify!($op), "`].")]
        #[derive(Clone, Debug, PartialEq, Default)]
        #[non_exhaustive]
        pub struct $output {
            $($(#[$doc])* pub $field: $ty,)*
        }
    };
}

/// Reads an answer: XML rows in one pass over the document, the others from the head.
macro_rules! read_answer {
    ($head:ident, $body:ident, none) => {{
        let _ = ($head, $body);
        Ok(())
    }};
    ($head:ident, $body:ident, $kind:ident $($root:literal)? $output:ident {
        $($(#[$doc:meta])* $field:ident: $ty:ty = $place:ident $($wire:literal $(> $inner:literal)?)?),* $(,)?
    }) => {{
        $(partial!($place $field $ty);)*
        open_document!($kind $($root)? $head $body url_encoded => from {
            while let Some(name) = from.child()? {
                let taken = false $(|| take!(from, name, $field: $ty, $place $($wire $(> $inner)?)?))*;
                if !taken {
                    from.skip()?;
                }
            }
        });
        $(let $field: $ty = finish!($head, $body, $field: $ty, $place $($wire $(> $inner)?)?);)*
        #[allow(unused_mut, reason = "only answers with url rows are decoded in place")]
        let mut output = $output { $($field),* };
        decode_document!($kind url_encoded => output {$($field $place,)*});
        Ok(output)
    }};
}

macro_rules! partial {
    (xml $field:ident $ty:ty) => {
        let mut $field = <<$ty as crate::Occurs>::Partial as Default>::default();
    };
    (url $field:ident $ty:ty) => {
        let mut $field = <<$ty as crate::Occurs>::Partial as Default>::default();
    };
    ($other:ident $field:ident $ty:ty) => {};
}

macro_rules! open_document {
    (xml $root:literal $head:ident $body:ident $url_encoded:ident => $from:ident $work:block) => {
        // With a callback the body is the application's JSON, and the XML fields are absent.
        let mut $url_encoded = false;
        if !$head.is_json() {
            let mut reader = crate::xml::Reader::open($body, $root)?;
            let $from = &mut reader;
            $work
            $url_encoded = reader.finish()?;
        }
    };
    ($kind:ident $($root:literal)? $head:ident $body:ident $url_encoded:ident => $from:ident $work:block) => {
        let _ = ($head, $body);
    };
}

/// Offers the element `name` to one field; `true` when it was this field's.
macro_rules! take {
    ($from:ident, $name:ident, $field:ident: $ty:ty, xml $wire:literal) => {
        ($name == $wire && {
            crate::xml::offer::<$ty>(&mut $field, $from, $wire)?;
            true
        })
    };
    ($from:ident, $name:ident, $field:ident: $ty:ty, xml $wire:literal > $inner:literal) => {
        ($name == $wire && {
            while let Some(name) = $from.child()? {
                if name == $inner {
                    crate::xml::offer::<$ty>(&mut $field, $from, $inner)?;
                } else {
                    $from.skip()?;
                }
            }
            true
        })
    };
    ($from:ident, $name:ident, $field:ident: $ty:ty, url $wire:literal) => {
        take!($from, $name, $field: $ty, xml $wire)
    };
    ($from:ident, $name:ident, $field:ident: $ty:ty, $($other:tt)*) => { false };
}

macro_rules! finish {
    ($head:ident, $body:ident, $field:ident: $ty:ty, xml $wire:literal > $inner:literal) => {
        <$ty as crate::Occurs>::finish($field, $inner)?
    };
    ($head:ident, $body:ident, $field:ident: $ty:ty, xml $wire:literal) => {
        <$ty as crate::Occurs>::finish($field, $wire)?
    };
    ($head:ident, $body:ident, $field:ident: $ty:ty, url $wire:literal) => {
        <$ty as crate::Occurs>::finish($field, $wire)?
    };
    ($head:ident, $body:ident, $field:ident: $ty:ty, header $wire:literal) => {
        $head.field::<$ty>($wire)?
    };
    ($head:ident, $body:ident, $field:ident: $ty:ty, prefix $wire:literal) => {
        $head.prefixed($wire)
    };
    ($head:ident, $body:ident, $field:ident: $ty:ty, body) => {
        $body.clone()
    };
    ($head:ident, $body:ident, $field:ident: $ty:ty, $place:ident $($rest:tt)*) => {
        compile_error!(concat!("`", stringify!($place), "` in `", stringify!($field),
            "` is no place of an answer; the places are header, prefix, xml, url (each with a wire name) and body"))
    };
}

macro_rules! decode_document {
    (xml $url_encoded:ident => $output:ident {$($field:ident $place:ident,)*}) => {
        if $url_encoded {
            $(decode_field!($output.$field, $place);)*
        }
    };
    ($kind:ident $($rest:tt)*) => {};
}

/// `url` rows are decoded; `xml` rows pass the decoding on to the shapes inside them, but texts stay as they are.
macro_rules! decode_field {
    ($value:ident.$field:ident, url) => {
        for item in crate::Occurs::items_mut(&mut $value.$field) {
            crate::xml::Element::decode_url(item)?;
        }
    };
    ($value:ident.$field:ident, xml) => {
        for item in crate::Occurs::items_mut(&mut $value.$field) {
            crate::xml::Element::decode_inside(item)?;
        }
    };
    ($value:ident.$field:ident, $other:ident) => {};
}

/// A structure inside an XML body: `shape!` for those of answers (all fields public, `Default`), `request_shape!` for
/// those that a caller makes (`new` with the required rows, a setter for each optional one).
macro_rules! shape {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[$field_doc:meta])* $field:ident: $ty:ty = $place:ident $wire:literal $(> $inner:literal)?),* $(,)?
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Default)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $ty,)*
        }

        shape_element!($name { $($field: $ty = $place $wire $(> $inner)?),* });
    )*};
}

/// As `shape!`, for structures that a caller makes.
macro_rules! request_shape {
    ($($(#[$doc:meta])* $name:ident
        ($($(#[$req_doc:meta])* $req:ident: $req_ty:ty = $req_place:ident $req_wire:literal),* $(,)?)
        {$($(#[$opt_doc:meta])* $opt:ident: $opt_ty:ty = $opt_place:ident $opt_wire:literal),* $(,)?}
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$req_doc])* pub $req: $req_ty,)*
            $($(#[$opt_doc])* pub $opt: Option<$opt_ty>,)*
        }

        impl $name {
            /// The structure with everything it requires.
            #[allow(clippy::new_without_default, reason = "a structure is made by name")]
            pub fn new($($req: impl crate::IntoField<$req_ty>),*) -> Self {
                Self { $($req: $req.into_field(),)* $($opt: None,)* }
            }

            $($(#[$opt_doc])*
            #[must_use]
            pub fn $opt(mut self, value: impl crate::IntoField<$opt_ty>) -> Self {
                self.$opt = Some(value.into_field());
                self
            })*
        }

        shape_element!($name {
            $($req: $req_ty = $req_place $req_wire,)*
            $($opt: Option<$opt_ty> = $opt_place $opt_wire),*
        });
    )*};
}

macro_rules! shape_element {
    ($name:ident {
        $($field:ident: $ty:ty = $place:ident $wire:literal $(> $inner:literal)?),* $(,)?
    }) => {
        impl crate::xml::Element for $name {
            fn write(&self, name: &str, to: &mut crate::xml::Writer) -> Result<(), crate::InvalidValue> {
                to.open(name);
                $(
                    shape_write!(to, self.$field, $wire $(> $inner)?);
                )*
                to.close(name);
                Ok(())
            }

            fn read(from: &mut crate::xml::Reader<'_>) -> Result<Option<Self>, crate::ReadError> {
                $(partial!($place $field $ty);)*
                while let Some(name) = from.child()? {
                    let taken = false $(|| take!(from, name, $field: $ty, $place $wire $(> $inner)?))*;
                    if !taken {
                        from.skip()?;
                    }
                }
                Ok(Some(Self { $($field: finish!(head, body, $field: $ty, $place $wire $(> $inner)?)),* }))
            }

            fn decode_inside(&mut self) -> Result<(), crate::ReadError> {
                $(decode_field!(self.$field, $place);)*
                Ok(())
            }
        }
    };
}

macro_rules! shape_write {
    ($to:ident, $self:ident.$field:ident, $wire:literal) => {
        for item in crate::Occurs::items(&$self.$field) {
            crate::xml::Element::write(item, $wire, $to)?;
        }
    };
    ($to:ident, $self:ident.$field:ident, $wire:literal > $inner:literal) => {
        let items = crate::Occurs::items(&$self.$field);
        if !items.is_empty() {
            $to.open($wire);
            for item in items {
                crate::xml::Element::write(item, $inner, $to)?;
            }
            $to.close($wire);
        }
    };
}

/// A closed set of words that the wire may widen: an unknown word is kept as `Other`.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        ///
        /// A word that this version does not know is kept in `Other`.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$word_doc])* #[doc = concat!("`", $text, "`.")] $word,)*
            /// Any other word.
            Other(alloc::string::String),
        }

        impl $name {
            /// The word as it is on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$word => $text,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($text => Self::$word,)*
                    other => Self::Other(alloc::string::String::from(other)),
                }
            }
        }

        impl crate::IntoField<$name> for &str {
            fn into_field(self) -> $name {
                $name::from(self)
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl crate::Text for $name {
            const EXPECTED: &'static str = stringify!($name);

            fn text(&self) -> Result<alloc::borrow::Cow<'_, str>, crate::InvalidValue> {
                Ok(alloc::borrow::Cow::Borrowed(self.as_str()))
            }

            fn parse(text: &str) -> Option<Self> {
                Some(Self::from(text))
            }
        }

        crate::wire::text::text_element!($name);
    )*};
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
