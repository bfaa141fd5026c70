//! `spec!`: one declaration gives a type its decoder, its defaults, its canonical form and its schema.

/// What a value must satisfy beyond its type.
pub trait Rule<T> {
    /// Why `value` is refused, if it is: "must be at least 1".
    fn check(&self, value: &T) -> Result<(), String>;
}

/// Placeholder: only the plain type.
#[macro_export]
macro_rules! spec {
    ($(#[$meta:meta])* pub struct $name:ident $(where $check:path)? { $($(#[$fmeta:meta])* $field:ident : $ty:ty $(= $default:expr)? $(; $rule:expr)?),* $(,)? }) => {
        $(#[$meta])* #[derive(Clone, Debug)] pub struct $name { $($(#[$fmeta])* pub $field: $ty),* }
    };
    ($(#[$meta:meta])* pub enum $name:ident $(where $check:path)? { $($(#[$vmeta:meta])* $variant:ident
        $( { $($(#[$fmeta:meta])* $field:ident : $ty:ty $(= $default:expr)? $(; $rule:expr)?),* $(,)? } )?
        $( ( $($(#[$pmeta:meta])* $pname:ident : $pty:ty $(; $prule:expr)?),* ) )? ),* $(,)? }) => {
        $(#[$meta])* #[derive(Clone, Debug)] pub enum $name { $($(#[$vmeta])* $variant $( { $($(#[$fmeta])* $field: $ty),* } )? $( ( $($pty),* ) )? ),* }
    };
}
