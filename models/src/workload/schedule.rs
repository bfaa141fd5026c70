//! When an open workload calls: a unit-rate stream through the inverted cumulative rate.
//!
//! With rate λ(t) and Λ(t) = ∫₀ᵗ λ, the k-th arrival is at Λ⁻¹(Γₖ), where Γₖ is the k-th point of a
//! process of rate 1 (Poisson: sums of unit exponentials; even: 1, 2, 3 ..). A variant that changes λ
//! therefore meets the same users in the same order, only sooner or later.

use super::{Arrivals, Spacing};
use sim_core::sampler::standard_exponential;
use sim_core::{Key, Luck, SimDuration, SimTime};

/// A stretch over which the rate moves in a straight line.
#[derive(Clone, Copy, Debug)]
struct Segment {
    /// Where it begins, in seconds.
    start: f64,
    /// Where it ends, in seconds; infinite for the last.
    end: f64,
    /// Rate at `start`, per second.
    rate: f64,
    /// Change of the rate per second.
    slope: f64,
}

impl Segment {
    /// Λ over the whole segment.
    fn mass(&self) -> f64 {
        let length = self.end - self.start;
        if length.is_infinite() {
            return if self.rate > 0.0 { f64::INFINITY } else { 0.0 };
        }
        (self.rate + self.slope * length / 2.0) * length
    }

    /// The time at which Λ since `start` reaches `mass`.
    fn at(&self, mass: f64) -> f64 {
        if self.slope == 0.0 {
            return self.start + mass / self.rate;
        }
        // slope/2 x² + rate x = mass, the root that stays finite as the slope vanishes.
        let discriminant = (self.rate * self.rate + 2.0 * self.slope * mass).max(0.0);
        self.start + 2.0 * mass / (self.rate + discriminant.sqrt())
    }
}

/// The arrivals of one open workload.
#[derive(Clone, Debug)]
pub struct Schedule {
    segments: Vec<Segment>,
    segment: usize,
    /// Λ consumed of the current segment.
    consumed: f64,
    even: bool,
}

impl Schedule {
    /// `None` for a closed loop, which has no schedule.
    pub fn new(arrivals: &Arrivals) -> Option<Self> {
        let flat = |start: f64, end: f64, rate: f64| Segment { start, end, rate, slope: 0.0 };
        let forever = f64::INFINITY;
        let (segments, spacing) = match arrivals {
            Arrivals::Poisson(rate) => (vec![flat(0.0, forever, rate.get())], Spacing::Poisson),
            Arrivals::Constant(rate) => (vec![flat(0.0, forever, rate.get())], Spacing::Even),
            Arrivals::Ramp { from, to, at, over, spacing } => {
                let (start, length) = (at.as_secs_f64(), over.as_secs_f64());
                let ramp = Segment {
                    start,
                    end: start + length,
                    rate: from.get(),
                    slope: (to.get() - from.get()) / length,
                };
                (
                    vec![flat(0.0, start, from.get()), ramp, flat(start + length, forever, to.get())],
                    spacing.clone(),
                )
            }
            Arrivals::Steps { steps, spacing } => {
                let ends = steps.iter().skip(1).map(|step| step.at.as_secs_f64()).chain([forever]);
                let flats = steps.iter().zip(ends);
                let segments = flats.map(|(step, end)| flat(step.at.as_secs_f64(), end, step.rate.get()));
                (segments.collect(), spacing.clone())
            }
            Arrivals::Spike { base, peak, at, r#for, spacing } => {
                let (start, end) = (at.as_secs_f64(), at.as_secs_f64() + r#for.as_secs_f64());
                let segments = vec![
                    flat(0.0, start, base.get()),
                    flat(start, end, peak.get()),
                    flat(end, forever, base.get()),
                ];
                (segments, spacing.clone())
            }
            Arrivals::ClosedLoop { .. } => return None,
        };
        let even = matches!(spacing, Spacing::Even);
        Some(Schedule { segments, segment: 0, consumed: 0.0, even })
    }

    /// The next arrival, whose luck is at `key`; `None` if no more will come.
    #[inline]
    pub fn next(&mut self, luck: &mut Luck, key: Key) -> Option<SimTime> {
        self.consumed += if self.even { 1.0 } else { standard_exponential(&mut luck.at(key)) };
        loop {
            let segment = self.segments.get(self.segment)?;
            if segment.slope == 0.0 && segment.end.is_infinite() {
                if segment.rate == 0.0 {
                    return None;
                }
            } else {
                let mass = segment.mass();
                if self.consumed >= mass {
                    self.consumed -= mass;
                    self.segment += 1;
                    continue;
                }
            }
            return Some(at_seconds(segment.at(self.consumed)));
        }
    }

    /// The rate at a time, per second.
    pub fn rate_at(&self, time: SimTime) -> f64 {
        let seconds = time.as_secs_f64();
        let segment = self.segments.iter().find(|segment| seconds < segment.end);
        segment.map_or(0.0, |segment| segment.rate + segment.slope * (seconds - segment.start).max(0.0))
    }
}

fn at_seconds(seconds: f64) -> SimTime {
    SimTime::ZERO + SimDuration::from_nanos_f64(seconds * 1e9)
}
