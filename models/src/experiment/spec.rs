//! `spec!`: one declaration gives a type its decoder, its defaults, its canonical form and its
//! documentation.
//!
//! ```
//! use sim_core::SimDuration;
//! use sim_models::experiment::{Decode, Decoder, Node, POSITIVE};
//!
//! sim_models::spec! {
//!     /// Tries again.
//!     pub struct Retry where check {
//!         /// Tries, the first included.
//!         attempts: u32 = 3; 1..=1000,
//!         /// The pause before a retry.
//!         pause: SimDuration; POSITIVE.or("the retries would come at once"),
//!         /// The longest time for all of it.
//!         deadline: Option<SimDuration> = None,
//!     }
//! }
//! fn check(retry: &Retry, at: &Node, cx: &mut Decoder) {
//!     if retry.deadline.is_some_and(|deadline| deadline < retry.pause) {
//!         cx.error(at.span, "the deadline is shorter than the first pause");
//!     }
//! }
//! let node = Node::record([("pause", Node::text("1000ms"))]);
//! let retry = Retry::decode(&node, &mut Decoder::new()).unwrap();
//! assert_eq!(retry.encode().to_string(), "(attempts: 3, pause: \"1s\", deadline: None)");
//! ```
//!
//! A default follows `=`, a [`Rule`](super::Rule) follows `;`, both optional; a field without a default
//! is required. Enums have bare variants, variants with parameters in order, and variants with fields.

/// Declares a type of the experiment file. See the [module](crate::experiment::spec).
#[macro_export]
macro_rules! spec {
    ($(#[$($meta:tt)*])* pub struct $name:ident $(where $check:path)? {
        $($(#[$($fmeta:tt)*])* $field:ident : $ty:ty $(= $default:expr)? $(; $rule:expr)?),* $(,)?
    }) => {
        $(#[$($meta)*])*
        #[derive(Clone, Debug)]
        pub struct $name { $($(#[$($fmeta)*])* pub $field: $ty),* }

        #[allow(clippy::all)]
        impl $crate::experiment::Decode for $name {
            fn decode(
                node: &$crate::experiment::Node,
                cx: &mut $crate::experiment::Decoder,
            ) -> ::std::option::Option<Self> {
                let guesses = cx.guesses();
                let fields = cx.fields(node, stringify!($name), &[$(stringify!($field)),*])?;
                let _ = (&fields, guesses);
                $(let $field = cx.field::<$ty>(&fields, stringify!($field),
                    $crate::__spec!(@default $ty $(, $default)?), $crate::__spec!(@rule $ty $(, $rule)?));)*
                let value = Self { $($field: $field?),* };
                $(if cx.guesses() == guesses {
                    $check(&value, node, cx);
                })?
                ::std::option::Option::Some(value)
            }
            fn encode(&self) -> $crate::experiment::Node {
                let fields: ::std::vec::Vec<$crate::experiment::Entry> = ::std::vec![
                    $($crate::experiment::Entry::field(
                        $crate::experiment::field_name(stringify!($field)),
                        $crate::experiment::Decode::encode(&self.$field),
                        $crate::__spec!(@encoded $ty $(, $default)?),
                    )),*
                ];
                $crate::experiment::Node::record(fields)
            }
            fn describe() -> $crate::experiment::TypeDoc {
                $crate::experiment::TypeDoc {
                    name: $crate::experiment::short_name(stringify!($name)).into(),
                    doc: $crate::__spec!(@doc $([$($meta)*])*),
                    shape: $crate::experiment::Shape::Struct(::std::vec![
                        $($crate::__spec!(@field $field, $ty, [$($default)?], [$($rule)?], $([$($fmeta)*])*)),*
                    ]),
                }
            }
        }
    };

    ($(#[$($meta:tt)*])* pub enum $name:ident $(where $check:path)? {
        $($(#[$($vmeta:tt)*])* $variant:ident
            $({ $($(#[$($fmeta:tt)*])* $field:ident : $ty:ty $(= $default:expr)? $(; $rule:expr)?),* $(,)? })?
            $(( $($(#[$($pmeta:tt)*])* $pname:ident : $pty:ty $(; $prule:expr)?),* $(,)? ))?
        ),* $(,)?
    }) => {
        $(#[$($meta)*])*
        #[derive(Clone, Debug)]
        pub enum $name {
            $($(#[$($vmeta)*])* $variant
                $({ $($(#[$($fmeta)*])* $field: $ty),* })?
                $(( $($(#[$($pmeta)*])* $pty),* ))?
            ),*
        }

        #[allow(clippy::all)]
        impl $crate::experiment::Decode for $name {
            fn decode(
                node: &$crate::experiment::Node,
                cx: &mut $crate::experiment::Decoder,
            ) -> ::std::option::Option<Self> {
                let guesses = cx.guesses();
                let _ = guesses;
                let value = match cx.variant(node, Self::describe)? {
                    $(stringify!($variant) => $crate::__spec!(@variant cx node $name $variant
                        $({ $($field, $ty, [$($default)?], [$($rule)?];)* })?
                        $(( $($pname, $pty, [$($prule)?];)* ))?),)*
                    _ => return cx.unknown_variant(node, Self::describe),
                };
                $(if cx.guesses() == guesses {
                    $check(&value, node, cx);
                })?
                ::std::option::Option::Some(value)
            }
            fn encode(&self) -> $crate::experiment::Node {
                match self {
                    $(Self::$variant $({ $($field),* })? $(( $($pname),* ))? =>
                        $crate::__spec!(@encode $variant $({ $($field, $ty, [$($default)?];)* })? $(( $($pname)* ))?),)*
                }
            }
            fn describe() -> $crate::experiment::TypeDoc {
                $crate::experiment::TypeDoc {
                    name: $crate::experiment::short_name(stringify!($name)).into(),
                    doc: $crate::__spec!(@doc $([$($meta)*])*),
                    shape: $crate::experiment::Shape::Enum(::std::vec![
                        $($crate::experiment::VariantDoc {
                            name: stringify!($variant),
                            doc: $crate::__spec!(@doc $([$($vmeta)*])*),
                            fields: ::std::vec![
                                $($($crate::__spec!(@field $field, $ty, [$($default)?], [$($rule)?], $([$($fmeta)*])*)),*)?
                                $($($crate::__spec!(@field $pname, $pty, [], [$($prule)?], $([$($pmeta)*])*)),*)?
                            ],
                            positional: $crate::__spec!(@positional $(( $($pname)* ))?),
                        }),*
                    ]),
                }
            }
        }
    };
}

/// The pieces of [`spec!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __spec {
    (@default $ty:ty) => { ::std::option::Option::None };
    (@default $ty:ty, $default:expr) => { ::std::option::Option::Some(|| -> $ty { $default }) };

    (@rule $ty:ty) => { ::std::option::Option::None };
    (@rule $ty:ty, $rule:expr) => { ::std::option::Option::Some($crate::experiment::as_rule::<$ty, _>(&$rule)) };

    (@doc $([$($meta:tt)*])*) => { $crate::experiment::join_doc(&[$($crate::__spec!(@line $($meta)*)),*]) };
    (@line doc = $text:expr) => { $text };
    (@line $($other:tt)*) => { "" };

    (@field $field:ident, $ty:ty, [$($default:expr)?], [$($rule:expr)?], $([$($meta:tt)*])*) => {
        $crate::experiment::FieldDoc {
            name: $crate::experiment::field_name(stringify!($field)),
            doc: $crate::__spec!(@doc $([$($meta)*])*),
            ty: $crate::experiment::TypeRef::of::<$ty>(),
            default: $crate::__spec!(@encoded $ty $(, $default)?),
            allowed: $crate::__spec!(@allowed $ty $(, $rule)?),
        }
    };
    (@encoded $ty:ty) => { ::std::option::Option::None };
    (@encoded $ty:ty, $default:expr) => {
        ::std::option::Option::Some(|| <$ty as $crate::experiment::Decode>::encode(&$default))
    };
    (@allowed $ty:ty) => { ::std::string::String::new() };
    (@allowed $ty:ty, $rule:expr) => { $crate::experiment::as_rule::<$ty, _>(&$rule).allowed() };

    (@variant $cx:ident $node:ident $name:ident $variant:ident) => {{
        $cx.bare($node)?;
        $name::$variant
    }};
    (@variant $cx:ident $node:ident $name:ident $variant:ident
        { $($field:ident, $ty:ty, [$($default:expr)?], [$($rule:expr)?];)* }) => {{
        let fields = $cx.fields($node, stringify!($variant), &[$(stringify!($field)),*])?;
        let _ = &fields;
        $(let $field = $cx.field::<$ty>(&fields, stringify!($field),
            $crate::__spec!(@default $ty $(, $default)?), $crate::__spec!(@rule $ty $(, $rule)?));)*
        $name::$variant { $($field: $field?),* }
    }};
    (@variant $cx:ident $node:ident $name:ident $variant:ident ( $($pname:ident, $pty:ty, [$($prule:expr)?];)* )) => {{
        let mut items = $cx.items($node, &[$(stringify!($pname)),*])?;
        $(let $pname = $cx.item::<$pty>(&mut items, $crate::__spec!(@rule $pty $(, $prule)?));)*
        $name::$variant($($pname?),*)
    }};

    (@encode $variant:ident) => { $crate::experiment::Node::word(stringify!($variant)) };
    (@encode $variant:ident { $($field:ident, $ty:ty, [$($default:expr)?];)* }) => {{
        let fields: ::std::vec::Vec<$crate::experiment::Entry> = ::std::vec![
            $($crate::experiment::Entry::field(
                $crate::experiment::field_name(stringify!($field)),
                $crate::experiment::Decode::encode($field),
                $crate::__spec!(@encoded $ty $(, $default)?),
            )),*
        ];
        $crate::experiment::Node::record(fields).named(::std::option::Option::Some(stringify!($variant)))
    }};
    (@encode $variant:ident ( $($pname:ident)* )) => {
        $crate::experiment::Node::tuple(stringify!($variant), [$($crate::experiment::Decode::encode($pname)),*])
    };

    (@positional) => { false };
    (@positional ( $($pname:ident)* )) => { true };
}

/// Gives a rule its type, so that `1..=1000` is a range of the field's numbers.
#[doc(hidden)]
pub fn as_rule<T, R: super::Rule<T>>(rule: &R) -> &dyn super::Rule<T> {
    rule
}
