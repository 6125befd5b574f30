//! What statements take, and what rows have.

/// A value for a statement; [`Bind`] makes it. `None` is NULL; the type is there all the same, as one engine asks for it.
#[derive(Clone, Copy)]
pub(in crate::store) enum Value<'a> {
    Int(Option<i64>),
    Text(Option<&'a str>),
    Blob(Option<&'a [u8]>),
}

/// A value in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Cell<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Blob(&'a [u8]),
}

/// What can be given to a statement.
pub(in crate::store) trait Bind {
    /// The value.
    fn bind(&self) -> Value<'_>;
    /// NULL of its type.
    fn null() -> Value<'static>;
}

macro_rules! bind {
    ($($type:ty, $kind:ident, $value:ident => $convert:expr;)*) => {$(
        impl Bind for $type {
            fn bind(&self) -> Value<'_> {
                let $value = self;
                Value::$kind(Some($convert))
            }

            fn null() -> Value<'static> {
                Value::$kind(None)
            }
        }
    )*};
}

bind! {
    i64, Int, number => *number;
    i32, Int, number => i64::from(*number);
    u32, Int, number => i64::from(*number);
    bool, Int, flag => i64::from(*flag);
    str, Text, text => text;
    String, Text, text => text;
    Vec<u8>, Blob, octets => octets;
    [u8], Blob, octets => octets;

}

impl<const N: usize> Bind for [u8; N] {
    fn bind(&self) -> Value<'_> {
        Value::Blob(Some(self))
    }

    fn null() -> Value<'static> {
        Value::Blob(None)
    }
}

impl<T: Bind + ?Sized> Bind for &T {
    fn bind(&self) -> Value<'_> {
        (*self).bind()
    }

    fn null() -> Value<'static> {
        T::null()
    }
}

impl<T: Bind> Bind for Option<T> {
    fn bind(&self) -> Value<'_> {
        match self {
            Some(value) => value.bind(),
            None => T::null(),
        }
    }

    fn null() -> Value<'static> {
        T::null()
    }
}

/// Values for a statement, of any types that [`Bind`] knows.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::store::db::Bind::bind(&$value)),*] as &[$crate::store::db::Value<'_>] };
}
pub(in crate::store) use values;

/// What a column of the store can be read as.
pub(in crate::store) trait FromCell: Sized {
    /// `None` where the value is of another kind.
    fn from_cell(cell: Cell<'_>) -> Option<Self>;
}

impl FromCell for i64 {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Int(number) = cell { Some(number) } else { None }
    }
}

impl FromCell for bool {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Int(0) => Some(false),
            Cell::Int(1) => Some(true),
            _ => None,
        }
    }
}

impl FromCell for String {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Text(text) = cell { Some(text.to_owned()) } else { None }
    }
}

impl FromCell for Vec<u8> {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Blob(octets) = cell { Some(octets.to_vec()) } else { None }
    }
}

impl<const N: usize> FromCell for [u8; N] {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Blob(octets) = cell { octets.try_into().ok() } else { None }
    }
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if cell == Cell::Null { Some(None) } else { T::from_cell(cell).map(Some) }
    }
}
