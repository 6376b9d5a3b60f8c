//! Parses decimal digits, eight at a time. Without it, numbers parsed by `str::parse` cost 16 % of the instructions of
//! a grid frame.

/// A run of decimal digits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Digits {
    /// The number of digits
    pub count: usize,
    /// Their value, if there are at most [`MAX_EXACT_DIGITS`]
    value: u64,
}

/// All numbers of this many digits fit into 64 bits with a sign.
const MAX_EXACT_DIGITS: usize = 18;
/// Integers up to this are floats without rounding.
const MAX_EXACT_FLOAT: u64 = 1 << 53;
/// The powers of ten that are floats without rounding.
const FLOAT_TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];
/// The powers of ten that a run of digits is multiplied by.
const TENS: [u64; MAX_EXACT_DIGITS + 1] = {
    let mut tens = [1; MAX_EXACT_DIGITS + 1];
    let mut power = 1;
    while power <= MAX_EXACT_DIGITS {
        tens[power] = 10 * tens[power - 1];
        power += 1;
    }
    tens
};

impl Digits {
    /// The digits at the start of `bytes`.
    #[inline]
    pub fn first(bytes: &[u8]) -> Self {
        let (mut count, mut value) = (0, 0_u64);
        while let Some(eight) = bytes.get(count..).and_then(<[u8]>::first_chunk) {
            let word = u64::from_le_bytes(*eight);
            let digits = (non_digits(word).trailing_zeros() / 8) as usize;
            if digits == 8 {
                value = value.wrapping_mul(TENS[8]).wrapping_add(eight_digits(word));
                count += 8;
                continue;
            }
            if digits > 0 {
                value =
                    value.wrapping_mul(TENS[digits]).wrapping_add(eight_digits(word << (64 - 8 * digits)));
            }
            return Self { count: count + digits, value };
        }
        while let Some(digit @ b'0'..=b'9') = bytes.get(count) {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            count += 1;
        }
        Self { count, value }
    }

    /// These digits followed by `next`.
    #[inline]
    pub fn then(self, next: Self) -> Self {
        let ten = TENS.get(next.count).copied().unwrap_or_default();
        Self {
            count: self.count.saturating_add(next.count),
            value: self.value.wrapping_mul(ten).wrapping_add(next.value),
        }
    }

    /// Their value; `None` if there are too many digits.
    #[inline]
    pub fn exact(self) -> Option<i64> {
        if self.count <= MAX_EXACT_DIGITS { i64::try_from(self.value).ok() } else { None }
    }

    /// The float nearest to their value times a power of ten; `None` where that takes more than one rounding.
    #[inline]
    #[allow(clippy::cast_precision_loss, reason = "values that would lose precision are refused")]
    pub fn scaled(self, power: i64) -> Option<f64> {
        if self.count > MAX_EXACT_DIGITS {
            return None;
        }
        let size = usize::try_from(power.unsigned_abs()).ok()?;
        if self.value > MAX_EXACT_FLOAT {
            return if power < 0 { TENS.get(size).map(|&ten| quotient(self.value, ten)) } else { None };
        }
        // both operands are exact, so the only rounding is correct
        let (value, ten) = (self.value as f64, FLOAT_TENS.get(size)?);
        Some(if power < 0 { value / ten } else { value * ten })
    }
}

/// The float nearest to a fraction of integers below 2⁶⁰, the dividend above 2⁵³.
///
/// With 64 bits after the point the quotient has at least 57 bits. A float has 53, so it is enough that the last bit
/// tells whether there is a remainder: the only rounding, that of the conversion, is correct.
#[allow(clippy::cast_precision_loss, reason = "the conversion rounds")]
fn quotient(value: u64, divisor: u64) -> f64 {
    const UNIT: f64 = 1.0 / (1_u128 << 64) as f64;
    let (value, divisor) = (u128::from(value) << 64, u128::from(divisor));
    let has_remainder = u128::from(value % divisor != 0);
    ((value / divisor) | has_remainder) as f64 * UNIT
}

/// Sets the highest bit of each byte that is not a digit.
#[inline]
fn non_digits(word: u64) -> u64 {
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let digits = word ^ 0x3030_3030_3030_3030;
    (((digits & !HIGHS) + 0x7676_7676_7676_7676) | digits) & HIGHS
}

/// The value of eight digits, the first in the lowest byte; a zero byte counts as the digit 0.
#[inline]
fn eight_digits(word: u64) -> u64 {
    let pairs = (word & 0x0F0F_0F0F_0F0F_0F0F).wrapping_mul(10 << 8 | 1) >> 8;
    let fours = (pairs & 0x00FF_00FF_00FF_00FF).wrapping_mul(100 << 16 | 1) >> 16;
    (fours & 0x0000_FFFF_0000_FFFF).wrapping_mul(10_000 << 32 | 1) >> 32
}
