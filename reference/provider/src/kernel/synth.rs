//! Names, streets and drawn photos for synthetic people.
//!
//! In:    a seed. Out: words and JPEG images. Never: a picture of a person.

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// First names.
pub(crate) const GIVEN_FEMALE: &[&str] = &[
    "Anna", "Birgit", "Clara", "Dörte", "Elif", "Frieda", "Gül", "Hanna", "Ines", "Jutta", "Katja",
    "Lena", "Maria", "Nora", "Olga", "Petra", "Renate", "Sofia", "Tanja", "Ursula",
];
/// First names.
pub(crate) const GIVEN_MALE: &[&str] = &[
    "Ahmet", "Bernd", "Carl", "Dieter", "Emil", "Felix", "Gerd", "Horst", "Ivan", "Jörg", "Kai",
    "Lukas", "Marek", "Nils", "Otto", "Paul", "Rainer", "Stefan", "Timo", "Uwe",
];
/// Last names.
pub(crate) const FAMILY: &[&str] = &[
    "Ahrens", "Bäcker", "Çelik", "Dorn", "Ehlers", "Fuchs", "Groß", "Hübner", "Ibrahim", "Jansen",
    "Köhler", "Lindner", "Möller", "Nowak", "Öztürk", "Petersen", "Quandt", "Richter", "Schäfer",
    "Thiel", "Ulrich", "Vogt", "Weiß", "Yilmaz", "Zander",
];
/// Streets.
pub(crate) const STREET: &[&str] = &[
    "Ahornweg",
    "Bahnhofstraße",
    "Am Deich",
    "Eichenallee",
    "Feldstraße",
    "Gartenweg",
    "Mühlgasse",
    "Rosenstraße",
    "Schulweg",
    "Uferstraße",
];
/// Towns that are none.
pub(crate) const CITY: &[&str] = &[
    "Musterstadt",
    "Beispielhausen",
    "Probenau",
    "Testlingen",
    "Neumusterdorf",
    "Erdachtingen",
];

/// A drawn portrait, as a JPEG: background, shoulders, head, hair, eyes, mouth.
///
/// `size` is width and height in pixels.
pub fn portrait(seed: u64, size: (u32, u32)) -> Vec<u8> {
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut tone = |from: u8, to: u8| chance.random_range(from..=to);
    let skin = [tone(170, 235), tone(130, 190), tone(100, 160)];
    let hair = [tone(20, 120), tone(15, 90), tone(10, 70)];
    let cloth = [tone(20, 120), tone(30, 120), tone(60, 160)];
    let grain: u64 = seed | 1;
    let image = RgbImage::from_fn(size.0, size.1, |x, y| {
        let (u, v) = (
            f64::from(x) / f64::from(size.0),
            f64::from(y) / f64::from(size.1),
        );
        let oval = |cx: f64, cy: f64, rx: f64, ry: f64| {
            ((u - cx) / rx).powi(2) + ((v - cy) / ry).powi(2) < 1.0
        };
        let base = if oval(0.40, 0.44, 0.035, 0.018) || oval(0.60, 0.44, 0.035, 0.018) {
            [30, 25, 25]
        } else if oval(0.5, 0.64, 0.10, 0.02) {
            [150, 60, 60]
        } else if oval(0.5, 0.55, 0.02, 0.05) {
            skin.map(|c| c - 25)
        } else if oval(0.5, 0.49, 0.26, 0.34) && v > 0.27 {
            skin
        } else if oval(0.5, 0.40, 0.30, 0.32) {
            hair
        } else if oval(0.5, 1.08, 0.48, 0.30) {
            cloth
        } else {
            [225, 228, 230]
        };
        let mark = (u64::from(x) * 31 + u64::from(y) * 17 + grain).wrapping_mul(0x9E37_79B9) >> 13;
        let noise = u8::try_from(mark % 7).unwrap_or(0);
        Rgb(base.map(|c: u8| c.saturating_add(noise)))
    });
    jpeg(&image)
}

/// An image as a JPEG.
pub fn jpeg(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let done = JpegEncoder::new_with_quality(&mut bytes, 92).encode_image(image);
    done.map(|()| bytes).unwrap_or_default()
}
