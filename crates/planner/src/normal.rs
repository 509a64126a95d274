//! The normal distribution, as far as beliefs need it.
//!
//! In:    standardised values, or shares between 0 and 1. Out: densities, quantiles.
//! Never: infinity or NaN for finite input.

/// Beyond this many standard deviations the tail is taken as straight. The density there is 1e-8.
const Z_MAX: f64 = 6.0;

/// Density over survival: how strongly a value that has passed `z` is expected to end now.
pub(crate) fn hazard(z: f64) -> f64 {
    if z > Z_MAX {
        return z + 1.0 / z;
    }
    let z = z.max(-Z_MAX);
    let density = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    density / survival(z)
}

/// The share above `z`. Abramowitz and Stegun 26.2.17: off by less than 1e-7.
fn survival(z: f64) -> f64 {
    const FACTORS: [f64; 5] = [
        1.330_274_429,
        -1.821_255_978,
        1.781_477_937,
        -0.356_563_782,
        0.319_381_530,
    ];
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let sum = FACTORS.iter().fold(0.0, |sum, factor| (sum + factor) * t);
    let density = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let upper = (density * sum).max(1e-12);
    if z >= 0.0 { upper } else { 1.0 - upper }
}

/// The value below which a share of the distribution lies. Abramowitz and Stegun 26.2.23: off by
/// less than 4.5e-4, far below what a simulation resolves.
pub(crate) fn quantile(share: f64) -> f64 {
    let share = share.clamp(1e-9, 1.0 - 1e-9);
    let tail = share.min(1.0 - share);
    let t = (-2.0 * tail.ln()).sqrt();
    let over = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let under = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let z = t - over / under;
    if share < 0.5 { -z } else { z }
}

#[cfg(test)]
mod tests;
