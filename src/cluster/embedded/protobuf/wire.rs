//! The wire format of protobuf: numbered fields, one after the other.

/// A field and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub(super) number: u32,
    pub(super) datum: Datum<'a>,
}

/// What a field holds; the two fixed widths are not used by any message that is read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Datum<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Datum<'a> {
    pub(super) fn bytes(self) -> Result<&'a [u8], String> {
        match self {
            Datum::Bytes(bytes) => Ok(bytes),
            Datum::Number(_) => Err("a number stands where bytes belong".to_owned()),
        }
    }

    pub(super) fn text(self) -> Result<&'a str, String> {
        std::str::from_utf8(self.bytes()?).map_err(|error| error.to_string())
    }

    /// Negative numbers are written in two's complement.
    pub(super) fn number(self) -> Result<i64, String> {
        match self {
            Datum::Number(number) => Ok(number.cast_signed()),
            Datum::Bytes(_) => Err("bytes stand where a number belongs".to_owned()),
        }
    }
}

/// The fields of a message. It ends with the first error.
pub(super) struct Wire<'a> {
    rest: &'a [u8],
}

impl<'a> Wire<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Wire<'a> {
        Wire { rest: bytes }
    }

    fn field(&mut self) -> Result<Field<'a>, String> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| "a field has no such number".to_owned())?;
        let datum = match tag & 7 {
            0 => Datum::Number(self.varint()?),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| cut_off())?;
                let (bytes, rest) = self.rest.split_at_checked(length).ok_or_else(cut_off)?;
                self.rest = rest;
                Datum::Bytes(bytes)
            }
            other => return Err(format!("wire type {other} of field {number} is not used by Kubernetes")),
        };
        Ok(Field { number, datum })
    }

    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or_else(cut_off)?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number is longer than 64 bits".to_owned())
    }
}

fn cut_off() -> String {
    "it ends in the middle of a field".to_owned()
}

impl<'a> Iterator for Wire<'a> {
    type Item = Result<Field<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}
