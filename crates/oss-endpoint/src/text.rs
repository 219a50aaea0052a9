//! What the three kinds of names have in common: a checked text that reads as `&str`.

/// Gives a `struct Name(String)` with a `parse(impl Into<String>)` the conversions that every name has.
///
/// `From<&Self>` lets a parameter of type `impl TryInto<Name>` take a borrowed name as well.
macro_rules! text {
    ($name:ident) => {
        impl $name {
            /// Returns the text as it was parsed.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for alloc::string::String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl From<&Self> for $name {
            fn from(name: &Self) -> Self {
                name.clone()
            }
        }

        impl core::str::FromStr for $name {
            type Err = crate::EndpointError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = crate::EndpointError;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                Self::parse(text)
            }
        }

        impl TryFrom<alloc::string::String> for $name {
            type Error = crate::EndpointError;

            fn try_from(text: alloc::string::String) -> Result<Self, Self::Error> {
                Self::parse(text)
            }
        }

        impl TryFrom<&alloc::string::String> for $name {
            type Error = crate::EndpointError;

            fn try_from(text: &alloc::string::String) -> Result<Self, Self::Error> {
                Self::parse(text.as_str())
            }
        }
    };
}

pub(crate) use text;
