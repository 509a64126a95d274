//! Whether an image can be a card photo, and the image as it is kept.
//!
//! In:    bytes that may be anything. Out: [`Photo`], or every [`Fault`] in words.
//! Never: decodes before size, kind, dimensions and scans were looked at; keeps metadata.
//!
//! What is checked: bytes, kind, dimensions, proportions 35 : 45, pixels of the region in which the
//! face has to be (32 mm of 45 mm in height), and of that region brightness, contrast and
//! sharpness; that the upper corners are a plain background. What is **not** checked: whether a
//! face is in the region, whose, how many, eyes, expression. No light, well-kept face detector
//! exists as a crate; a clerk looks at every photo.

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use image::imageops::FilterType;
use image::{DynamicImage, GrayImage, ImageDecoder, Limits};

use crate::kernel::miss::Words;
use crate::kernel::synth;

/// Largest file. Bytes. What insurers take: 5 MB.
pub const SIZE_MAX: usize = 5 * 1024 * 1024;

/// Most pixels that are decoded: a 24 megapixel camera. Bounds memory to about 75 MB.
const PIXEL_COUNT_MAX: u64 = 25_000_000;

/// Most scans of a progressive image. Cameras write ten; thousands are an attack on the processor.
const SCAN_COUNT_MAX: usize = 20;

/// Smallest picture: 35 × 45 mm at 300 dots per inch.
const WIDTH_MIN: u32 = 413;
const HEIGHT_MIN: u32 = 531;

/// Smallest height of the face's region. Pixels: 32 of 45 mm of the smallest picture.
const FACE_HEIGHT_MIN: u32 = HEIGHT_MIN * 32 / 45;

/// Kept size: enough for the card's print.
const HEIGHT_KEPT: u32 = 900;
const WIDTH_KEPT: u32 = 700;

/// An image that can be a card photo, encoded anew.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Photo {
    /// JPEG without metadata.
    pub jpeg: Vec<u8>,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// One reason against an image: a word for programs, a sentence for people.
pub type Fault = (&'static str, Words);

fn fault(code: &'static str, de: &str, en: &str) -> Fault {
    (code, Words::new(de, en))
}

/// Judges bytes.
///
/// # Errors
/// Every reason at once, as far as the image could be read.
pub fn check(bytes: &[u8]) -> Result<Photo, Vec<Fault>> {
    look(bytes).map_err(|fault| vec![fault])?;
    let image = decode(bytes).map_err(|fault| vec![fault])?;
    let faults = judge(&image);
    if !faults.is_empty() {
        return Err(faults);
    }
    let kept = match image.height() > HEIGHT_KEPT {
        true => image.resize_exact(WIDTH_KEPT, HEIGHT_KEPT, FilterType::Triangle),
        false => image,
    };
    let kept = kept.to_rgb8();
    Ok(Photo {
        jpeg: synth::jpeg(&kept),
        width: kept.width(),
        height: kept.height(),
    })
}

/// What can be known without decoding.
fn look(bytes: &[u8]) -> Result<(), Fault> {
    if bytes.len() > SIZE_MAX {
        return Err(fault(
            "photo-too-large",
            "Die Datei ist größer als 5 MB. Speichern Sie das Foto in kleinerer Auflösung.",
            "The file is larger than 5 MB. Save the photo in a smaller resolution.",
        ));
    }
    if !bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        return Err(fault(
            "photo-no-jpeg",
            "Das ist kein JPEG-Bild. Bitte laden Sie ein Foto mit der Endung .jpg hoch.",
            "This is no JPEG image. Please upload a photo that ends in .jpg.",
        ));
    }
    // In the data of a scan a 255 is followed by 0 or a restart mark: this finds only scans, or
    // bytes of metadata, and then counts too many.
    let scans = bytes
        .windows(2)
        .filter(|pair| *pair == [0xff, 0xda])
        .count();
    if scans > SCAN_COUNT_MAX {
        return Err(broken());
    }
    Ok(())
}

fn decode(bytes: &[u8]) -> Result<DynamicImage, Fault> {
    let mut decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(|_| broken())?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PIXEL_COUNT_MAX {
        return Err(fault(
            "photo-too-many-pixels",
            "Das Bild hat mehr als 25 Megapixel. Speichern Sie es in kleinerer Auflösung.",
            "The image has more than 25 megapixels. Save it in a smaller resolution.",
        ));
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(PIXEL_COUNT_MAX * 4);
    decoder.set_limits(limits).map_err(|_| broken())?;
    let orientation = decoder.orientation().map_err(|_| broken())?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(|_| broken())?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn broken() -> Fault {
    fault(
        "photo-broken",
        "Das Bild lässt sich nicht öffnen; die Datei ist beschädigt. Bitte wählen Sie es neu aus.",
        "The image cannot be opened; the file is damaged. Please choose it again.",
    )
}

fn judge(image: &DynamicImage) -> Vec<Fault> {
    let mut faults = Vec::new();
    let (width, height) = (image.width(), image.height());
    // 35 : 45, with 2 % for cutting by hand.
    let off = (i64::from(width) * 45 - i64::from(height) * 35).abs() * 50;
    if off > i64::from(height) * 35 {
        faults.push(fault(
            "photo-proportions",
            "Das Bild ist nicht im Verhältnis 35 zu 45. Schneiden Sie es auf Passfotoformat zu.",
            "The image is not 35 to 45. Cut it to the format of a passport photo.",
        ));
    }
    let face_height = height * 32 / 45;
    if width < WIDTH_MIN || height < HEIGHT_MIN || face_height < FACE_HEIGHT_MIN {
        faults.push(fault(
            "photo-too-small",
            "Das Bild ist zu klein: mindestens 413 × 531 Bildpunkte, das Gesicht 377 davon hoch.",
            "The image is too small: at least 413 × 531 pixels, of which the face 377 in height.",
        ));
    }
    if faults.is_empty() {
        faults.extend(judge_face(image));
    }
    faults
}

/// Looks at the image in one size, so that a threshold means the same for all.
fn judge_face(image: &DynamicImage) -> Vec<Fault> {
    let grey = image
        .resize_exact(350, 450, FilterType::Triangle)
        .to_luma8();
    let face = Region {
        left: 75,
        top: 65,
        width: 200,
        height: 320,
    };
    let (mean, spread) = face.mean_and_spread(&grey);
    let mut faults = Vec::new();
    if !(50.0..=225.0).contains(&mean) {
        faults.push(fault(
            "photo-light",
            "Das Gesicht ist zu dunkel oder zu hell. Fotografieren Sie bei gleichmäßigem Licht.",
            "The face is too dark or too bright. Take the photo in even light.",
        ));
    }
    if spread < 12.0 {
        faults.push(fault(
            "photo-flat",
            "In der Bildmitte ist kein Gesicht zu erkennen: das Bild ist fast einfarbig.",
            "No face can be made out in the middle: the image is almost of one colour.",
        ));
    } else if face.edges(&grey) < 6.0 {
        faults.push(fault(
            "photo-blurred",
            "Das Bild ist unscharf. Halten Sie die Kamera ruhig.",
            "The image is blurred. Hold the camera still.",
        ));
    }
    let corners = [0, 300].map(|left| Region {
        left,
        top: 0,
        width: 50,
        height: 60,
    });
    if corners
        .iter()
        .any(|corner| corner.mean_and_spread(&grey).1 > 40.0)
    {
        faults.push(fault(
            "photo-background",
            "Der Hintergrund ist unruhig. Stellen Sie sich vor eine einfarbige, helle Wand.",
            "The background is restless. Stand in front of a plain, bright wall.",
        ));
    }
    faults
}

struct Region {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

impl Region {
    fn pixels<'a>(
        &'a self,
        grey: &'a GrayImage,
        rim: u32,
    ) -> impl Iterator<Item = (u32, u32, f64)> + 'a {
        let rows = self.top + rim..self.top + self.height - rim;
        rows.flat_map(move |y| {
            let columns = self.left + rim..self.left + self.width - rim;
            columns.map(move |x| (x, y, f64::from(grey.get_pixel(x, y).0[0])))
        })
    }

    fn mean_and_spread(&self, grey: &GrayImage) -> (f64, f64) {
        let count = f64::from(self.width * self.height);
        let mean = self.pixels(grey, 0).map(|(_, _, v)| v).sum::<f64>() / count;
        let squares = self.pixels(grey, 0).map(|(_, _, v)| (v - mean).powi(2));
        (mean, (squares.sum::<f64>() / count).sqrt())
    }

    /// Mean square of the Laplacian: sharp edges make it large.
    fn edges(&self, grey: &GrayImage) -> f64 {
        let at = |x: u32, y: u32| f64::from(grey.get_pixel(x, y).0[0]);
        let (mut sum, mut count) = (0.0, 0.0);
        for (x, y, value) in self.pixels(grey, 1) {
            let around = at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1);
            sum += (around - 4.0 * value).powi(2);
            count += 1.0;
        }
        sum / f64::max(count, 1.0)
    }
}

#[cfg(test)]
mod tests;
