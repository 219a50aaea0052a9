//! `shape!` and `request_shape!`, the structures inside XML bodies, and `words!`, the words they use.

/// A structure inside an XML body: `shape!` for those of answers (all fields public, `Default`),
/// `request_shape!` for those that a caller makes (`new` with the required rows, a setter for each optional
/// one).
macro_rules! shape {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[$field_doc:meta])* $field:ident: $ty:ty
            = $place:ident $wire:literal $(> $inner:literal)?),* $(,)?
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
        ($($(#[$req_doc:meta])* $req:ident: $req_ty:ty
            = $req_place:ident $req_wire:literal $(> $req_inner:literal)?),* $(,)?)
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
            $($req: $req_ty = $req_place $req_wire $(> $req_inner)?,)*
            $($opt: Option<$opt_ty> = $opt_place $opt_wire),*
        });
    )*};
}

macro_rules! shape_element {
    ($name:ident {
        $($field:ident: $ty:ty = $place:ident $wire:literal $(> $inner:literal)?),* $(,)?
    }) => {
        impl crate::xml::Element for $name {
            const ROWS: &'static [crate::Row] = &[$(answer_row!($field: $ty, $place $wire $(> $inner)?)),*];

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
