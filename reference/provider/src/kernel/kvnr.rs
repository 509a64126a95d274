//! Numbers of insured people (KVNR): a letter and nine digits, the last of which checks the rest.
//!
//! In:    text. Out: [`Kvnr`]. Never: a number whose check digit is wrong.
//! See:   SGB V § 290; the rule as tried on published test numbers: research/domain.md §5.

use std::fmt;
use std::str::FromStr;

/// A number with the right check digit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Kvnr(String);

impl Kvnr {
    /// The number of a letter (0 is A) and eight digits.
    pub fn of(letter: u8, digits: u32) -> Self {
        let letter = char::from(b'A' + letter % 26);
        let body = format!("{letter}{:08}", digits % 100_000_000);
        let check = check_digit(&body).unwrap_or(0);
        Self(format!("{body}{check}"))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Kvnr {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (body, last) = text.split_at_checked(9).ok_or(())?;
        let told: u32 = match last.as_bytes() {
            [digit @ b'0'..=b'9'] => u32::from(digit - b'0'),
            _ => return Err(()),
        };
        match check_digit(body) {
            Some(check) if check == told => Ok(Self(text.to_owned())),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Kvnr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The letter counts as two digits; weights 1 and 2 in turn, sums of digits, modulo 10.
fn check_digit(body: &str) -> Option<u32> {
    let (letter, digits) = body.as_bytes().split_first()?;
    if !letter.is_ascii_uppercase() || digits.len() != 8 {
        return None;
    }
    let place = u32::from(letter - b'A' + 1);
    let mut all = vec![place / 10, place % 10];
    for digit in digits {
        all.push(u32::from(*digit).checked_sub(48).filter(|d| *d < 10)?);
    }
    let weighed = all.iter().zip([1, 2].into_iter().cycle());
    let sum: u32 = weighed.map(|(d, w)| d * w / 10 + d * w % 10).sum();
    Some(sum % 10)
}

#[cfg(test)]
mod tests;
