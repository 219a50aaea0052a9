//! The answer half of `operation!`: its type, its rows, and how it is read.

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

macro_rules! answer_row {
    ($field:ident: $ty:ty, $place:ident $wire:literal > $inner:literal) => {
        row!(false, $field: $ty, $place concat!($wire, "/", $inner))
    };
    ($field:ident: $ty:ty, $place:ident $wire:literal | $or:literal) => {
        row!(false, $field: $ty, $place concat!($wire, "|", $or))
    };
    ($field:ident: $ty:ty, $place:ident $($wire:literal)?) => { row!(false, $field: $ty, $place $($wire)?) };
}

macro_rules! answer_rows {
    (none) => { &[] };
    ($kind:ident $($root:literal)? $output:ident {
        $($(#[$doc:meta])* $field:ident: $ty:ty
            = $place:ident $($wire:literal $(> $inner:literal)? $(| $or:literal)?)?),* $(,)?
    }) => {
        &[$(answer_row!($field: $ty, $place $($wire $(> $inner)? $(| $or)?)?)),*]
    };
}

/// The struct of an answer.
macro_rules! output_struct {
    ($op:ident none) => {};
    ($op:ident $kind:ident $($root:literal)? $output:ident {
        $($(#[$doc:meta])* $field:ident: $ty:ty
            = $place:ident $($wire:literal $(> $inner:literal)? $(| $or:literal)?)?),* $(,)?
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
        $($(#[$doc:meta])* $field:ident: $ty:ty
            = $place:ident $($wire:literal $(> $inner:literal)? $(| $or:literal)?)?),* $(,)?
    }) => {{
        $(partial!($place $field $ty);)*
        open_document!($kind $($root)? $head $body url_encoded => from {
            while let Some(name) = from.child()? {
                let taken = false
                    $(|| take!(from, name, $field: $ty, $place $($wire $(> $inner)? $(| $or)?)?))*;
                if !taken {
                    from.skip()?;
                }
            }
        });
        $(let $field: $ty = finish!($head, $body, $field: $ty, $place $($wire $(> $inner)? $(| $or)?)?);)*
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
        if !$head.is_callback_answer() {
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
    // Elements of two names in one list, so that their order is kept; the type looks at the name.
    ($from:ident, $name:ident, $field:ident: $ty:ty, xml $wire:literal | $or:literal) => {
        (($name == $wire || $name == $or) && {
            crate::xml::offer::<$ty>(&mut $field, $from, $wire)?;
            true
        })
    };
    ($from:ident, $name:ident, $field:ident: $ty:ty, url $wire:literal) => {
        take!($from, $name, $field: $ty, xml $wire)
    };
    // The text of the root itself: no child is it.
    ($from:ident, $name:ident, $field:ident: $ty:ty, root $wire:literal) => {{
        let _ = $name;
        false
    }};
    ($from:ident, $name:ident, $field:ident: $ty:ty, $($other:tt)*) => { false };
}

macro_rules! finish {
    ($head:ident, $body:ident, $field:ident: $ty:ty, xml $wire:literal > $inner:literal) => {
        <$ty as crate::Occurs>::finish($field, $inner)?
    };
    ($head:ident, $body:ident, $field:ident: $ty:ty, xml $wire:literal $(| $or:literal)?) => {
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
    ($head:ident, $body:ident, $field:ident: $ty:ty, root $wire:literal) => {
        crate::xml::root_text::<$ty>($body, $wire)?
    };
    ($head:ident, $body:ident, $field:ident: $ty:ty, json $wire:literal) => {
        crate::json::member::<$ty>($body, $wire)?
    };
    ($head:ident, $body:ident, $field:ident: $ty:ty, body) => {
        $body.clone()
    };
    ($head:ident, $body:ident, $field:ident: $ty:ty, $place:ident $($rest:tt)*) => {
        compile_error!(concat!(
            "`",
            stringify!($place),
            "` in `",
            stringify!($field),
            "` is no place of an answer; they are header, prefix, xml, url, root, json (with a wire \
             name) and body"
        ))
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

/// `url` rows are decoded; `xml` rows pass the decoding on to the shapes inside them, but texts stay as they
/// are.
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
