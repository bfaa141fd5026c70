//! Erlang A: customers whose patience is random leave the queue unserved when it ends. An overload then has a
//! steady state, because those who leave are the relief.

/// M/M/c+M: Poisson arrivals, exponential service, one queue without bound in front of `servers`, and an
/// exponential patience with the wait: who is still waiting when it ends, leaves. Who is served stays.
///
/// Birth and death: with `n` in the system customers come at rate `lambda` and go at
/// `min(n, c) / s + max(n - c, 0) theta`. Source: Palm 1957; Garnett, Mandelbaum and Reiman 2002.
#[derive(Clone, Debug)]
pub struct ErlangA {
    servers: u32,
    /// Offered load in Erlangs, all servers together.
    offered: f64,
    service_mean: f64,
    /// Mean service times per mean patience.
    impatience: f64,
    /// Probability of 0, 1, .. in the system, as far as it matters.
    states: Vec<f64>,
}

/// States less likely than this, against the likeliest, are left out; all of them together then weigh less than
/// the rounding of the rest.
const NEGLIGIBLE: f64 = 1e-25;

/// Sums over more states than this take longer than they are worth.
const MOST_STATES: usize = 4_000_000;

impl ErlangA {
    /// `utilisation` is offered load per server and may be above 1; both means are in the unit of all results.
    /// `None` if the queue gets so long that the sums would take too long.
    ///
    /// `p(n) = p(n-1) a / (min(n, c) + max(n - c, 0) theta s)`, summed outwards from the likeliest state.
    pub fn new(servers: u32, utilisation: f64, service_mean: f64, patience_mean: f64) -> Option<Self> {
        let (offered, impatience) = (utilisation * f64::from(servers), service_mean / patience_mean);
        let leave = |n: usize| {
            let waiting = n.saturating_sub(servers as usize) as f64;
            (n.min(servers as usize)) as f64 + waiting * impatience
        };
        // The likeliest state is the last that is left no faster than it is entered.
        let waiting_mode = (offered - f64::from(servers)).max(0.0) / impatience;
        let mode = offered.min(f64::from(servers)) + waiting_mode;
        if mode.is_nan() || mode > MOST_STATES as f64 {
            return None;
        }
        let mode = mode as usize;
        let mut states = vec![0.0; mode + 1];
        states[mode] = 1.0;
        for n in (0..mode).rev() {
            states[n] = states[n + 1] * leave(n + 1) / offered;
            if states[n] < NEGLIGIBLE {
                break;
            }
        }
        while states[states.len() - 1] > NEGLIGIBLE {
            let n = states.len();
            if n > MOST_STATES {
                return None;
            }
            states.push(states[n - 1] * offered / leave(n));
        }
        let total: f64 = states.iter().sum();
        states.iter_mut().for_each(|state| *state /= total);
        Some(ErlangA { servers, offered, service_mean, impatience, states })
    }

    /// (customers in front, probability) of every state in which an arrival must wait.
    fn full(&self) -> impl Iterator<Item = (usize, f64)> {
        self.states.iter().copied().skip(self.servers as usize).enumerate()
    }

    /// Share of arrivals that find all servers busy (Poisson arrivals see time averages).
    pub fn p_wait(&self) -> f64 {
        self.full().map(|(_, p)| p).sum()
    }

    /// Mean number waiting.
    pub fn mean_queue(&self) -> f64 {
        self.full().map(|(waiting, p)| waiting as f64 * p).sum()
    }

    /// Share of arrivals that leave unserved: `theta Lq / lambda`, the rate at which those who wait leave over the
    /// rate at which customers come.
    pub fn p_abandon(&self) -> f64 {
        if self.offered > 0.0 { self.impatience * self.mean_queue() / self.offered } else { 0.0 }
    }

    /// Mean wait of all, until service or until they leave: `Lq / lambda`, by Little's law.
    pub fn mean_wait(&self) -> f64 {
        if self.offered > 0.0 { self.service_mean * self.mean_queue() / self.offered } else { 0.0 }
    }

    /// Mean wait of those who are served.
    ///
    /// Who finds `j` waiting moves up `j + 1` times; with `i` in front the next to leave the queue, whoever it
    /// is, leaves at rate `c + (i + 1) theta` (per service time), and it is not oneself with probability
    /// `(c + i theta) / (c + (i + 1) theta)`. So `P(served | j) = c / (c + (j+1) theta)`, and the wait of the
    /// served is the sum of the `j + 1` mean times, because which event comes does not depend on when.
    pub fn mean_wait_served(&self) -> f64 {
        let servers = f64::from(self.servers);
        let (mut wait, mut sum) = (0.0, 0.0);
        for (waiting, p) in self.full() {
            let rate = servers + (waiting as f64 + 1.0) * self.impatience;
            wait += 1.0 / rate;
            sum += p * servers / rate * wait;
        }
        self.service_mean * sum / (1.0 - self.p_abandon())
    }

    /// Share of time in which a server works: `rho (1 - P(abandon))`.
    pub fn utilisation(&self) -> f64 {
        self.offered * (1.0 - self.p_abandon()) / f64::from(self.servers)
    }

    /// Share of arrivals whose service is over before their patience, if that does not end when service begins:
    /// `(1 - P(abandon)) / (1 + theta s)`, because patience has no memory.
    pub fn p_answered_in_time(&self) -> f64 {
        (1.0 - self.p_abandon()) / (1.0 + self.impatience)
    }
}

/// Rows of the reference tables named in each test; mean service time 1.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::{Mmc, assert_close, erlang_b};

    /// erlang_a.csv, all rows: c, rho, theta, P(wait), P(abandon), Lq, mean wait of all, utilisation.
    #[rustfmt::skip]
    const ERLANG_A: &[(u32, f64, f64, [f64; 5])] = &[
        (1, 0.7, 0.1, [0.625686966, 0.1061614771, 0.7431303397, 1.061614771, 0.625686966]),
        (1, 0.7, 0.5, [0.5417648549, 0.2260502072, 0.3164702901, 0.4521004145, 0.5417648549]),
        (1, 0.7, 1.0, [0.5034146962, 0.2808361483, 0.1965853038, 0.2808361483, 0.5034146962]),
        (1, 0.7, 2.0, [0.470528694, 0.3278161514, 0.114735653, 0.1639080757, 0.470528694]),
        (1, 0.9, 0.1, [0.7579567, 0.1578258889, 1.420433, 1.578258889, 0.7579567]),
        (1, 0.9, 0.5, [0.6435394723, 0.2849561419, 0.5129210555, 0.5699122838, 0.6435394723]),
        (1, 0.9, 1.0, [0.5934303403, 0.3406329553, 0.3065696597, 0.3406329553, 0.5934303403]),
        (1, 0.9, 2.0, [0.5506684896, 0.3881461227, 0.1746657552, 0.1940730613, 0.5506684896]),
        (1, 1.0, 0.1, [0.8124794276, 0.1875205724, 1.875205724, 1.875205724, 0.8124794276]),
        (1, 1.0, 0.5, [0.6869647145, 0.3130352855, 0.626070571, 0.626070571, 0.6869647145]),
        (1, 1.0, 1.0, [0.6321205588, 0.3678794412, 0.3678794412, 0.3678794412, 0.6321205588]),
        (1, 1.0, 2.0, [0.5851803411, 0.4148196589, 0.2074098294, 0.2074098294, 0.5851803411]),
        (1, 1.2, 0.1, [0.896606802, 0.252827665, 3.03393198, 2.52827665, 0.896606802]),
        (1, 1.2, 0.5, [0.760554947, 0.3662042109, 0.8788901061, 0.7324084217, 0.760554947]),
        (1, 1.2, 1.0, [0.6988057881, 0.4176618433, 0.5011942119, 0.4176618433, 0.6988057881]),
        (1, 1.2, 2.0, [0.6451255212, 0.462395399, 0.2774372394, 0.2311976995, 0.6451255212]),
        (1, 1.5, 0.1, [0.9663320875, 0.3557786083, 5.336679125, 3.557786083, 0.9663320875]),
        (1, 1.5, 0.5, [0.8428129105, 0.4381247263, 1.314374179, 0.8762494526, 0.8428129105]),
        (1, 1.5, 1.0, [0.7768698399, 0.4820867734, 0.7231301601, 0.4820867734, 0.7768698399]),
        (1, 1.5, 2.0, [0.7169132502, 0.5220578332, 0.3915433749, 0.2610289166, 0.7169132502]),
        (1, 2.0, 0.1, [0.997085764, 0.501457118, 10.02914236, 5.01457118, 0.997085764]),
        (1, 2.0, 0.5, [0.9253705585, 0.5373147207, 2.149258883, 1.074629441, 0.9253705585]),
        (1, 2.0, 1.0, [0.8646647168, 0.5676676416, 1.135335283, 0.5676676416, 0.8646647168]),
        (1, 2.0, 2.0, [0.8023776709, 0.5988111646, 0.5988111646, 0.2994055823, 0.8023776709]),
        (2, 0.7, 0.1, [0.5220852356, 0.05503279727, 0.7704591618, 0.5503279727, 0.6614770419]),
        (2, 0.7, 0.5, [0.4468150462, 0.1311990604, 0.367357369, 0.2623981207, 0.6081606577]),
        (2, 0.7, 1.0, [0.4081672865, 0.1703069124, 0.2384296774, 0.1703069124, 0.5807851613]),
        (2, 0.7, 2.0, [0.3716049962, 0.2073044681, 0.1451131277, 0.103652234, 0.5548868723]),
        (2, 0.9, 0.1, [0.7167799983, 0.1024277791, 1.843700023, 1.024277791, 0.8078149988]),
        (2, 0.9, 0.5, [0.5946140841, 0.1945370001, 0.7003332004, 0.3890740002, 0.7249166999]),
        (2, 0.9, 1.0, [0.537163113, 0.2378532085, 0.4281357752, 0.2378532085, 0.6859321124]),
        (2, 0.9, 2.0, [0.4840883259, 0.277869913, 0.2500829217, 0.1389349565, 0.6499170783]),
        (2, 1.0, 0.1, [0.7990138183, 0.1339907878, 2.679815756, 1.339907878, 0.8660092122]),
        (2, 1.0, 0.5, [0.659077471, 0.227281686, 0.9091267441, 0.454563372, 0.772718314]),
        (2, 1.0, 1.0, [0.5939941503, 0.2706705665, 0.5413411329, 0.2706705665, 0.7293294335]),
        (2, 1.0, 2.0, [0.5339127895, 0.310724807, 0.310724807, 0.1553624035, 0.689275193]),
        (2, 1.2, 0.1, [0.9175704995, 0.2111139464, 5.066734712, 2.111139464, 0.9466632644]),
        (2, 1.2, 0.5, [0.7665870873, 0.2925265706, 1.404127539, 0.5850531412, 0.8489681153]),
        (2, 1.2, 1.0, [0.6915589588, 0.3329829144, 0.7991589945, 0.3329829144, 0.8004205028]),
        (2, 1.2, 2.0, [0.6208860822, 0.371090838, 0.4453090057, 0.185545419, 0.7546909943]),
        (2, 1.5, 0.1, [0.9879591418, 0.3383503576, 10.15051073, 3.383503576, 0.9924744636]),
        (2, 1.5, 0.5, [0.8770582478, 0.3845590634, 2.307354381, 0.7691181269, 0.9231614048]),
        (2, 1.5, 1.0, [0.8008517265, 0.4163117806, 1.248935342, 0.4163117806, 0.8755323291]),
        (2, 1.5, 2.0, [0.723088862, 0.4487129742, 0.6730694613, 0.2243564871, 0.8269305387]),
        (2, 2.0, 0.1, [0.9998799947, 0.5000360016, 20.00144006, 5.000360016, 0.9999279968]),
        (2, 2.0, 0.5, [0.9639796781, 0.5108060966, 4.086448773, 1.021612193, 0.9783878068]),
        (2, 2.0, 1.0, [0.9084218056, 0.5274734583, 2.109893833, 0.5274734583, 0.9450530833]),
        (2, 2.0, 2.0, [0.8363672182, 0.5490898345, 1.098179669, 0.2745449173, 0.9018203309]),
        (10, 0.7, 0.1, [0.210720696, 0.006063193486, 0.424423544, 0.06063193486, 0.6957557646]),
        (10, 0.7, 0.5, [0.1861067268, 0.01961743614, 0.2746441059, 0.03923487227, 0.6862677947]),
        (10, 0.7, 1.0, [0.1695040628, 0.02876007117, 0.2013204982, 0.02876007117, 0.6798679502]),
        (10, 0.7, 2.0, [0.1507788497, 0.03907153617, 0.1367503766, 0.01953576808, 0.6726499247]),
        (10, 0.9, 0.1, [0.5779867884, 0.03043678811, 2.73931093, 0.3043678811, 0.8726068907]),
        (10, 0.9, 0.5, [0.4689417044, 0.06701171547, 1.206210879, 0.1340234309, 0.8396894561]),
        (10, 0.9, 1.0, [0.4125917557, 0.0859121116, 0.7732090044, 0.0859121116, 0.8226790996]),
        (10, 0.9, 2.0, [0.356053387, 0.1048757058, 0.4719406763, 0.05243785292, 0.8056118647]),
        (10, 1.0, 0.1, [0.7786708955, 0.06046886956, 6.046886956, 0.6046886956, 0.9395311304]),
        (10, 1.0, 0.5, [0.6196552309, 0.1039132123, 2.078264247, 0.2078264247, 0.8960867877]),
        (10, 1.0, 1.0, [0.5420702855, 0.1251100357, 1.251100357, 0.1251100357, 0.8748899643]),
        (10, 1.0, 2.0, [0.4655746412, 0.1460092534, 0.7300462671, 0.07300462671, 0.8539907466]),
        (10, 1.2, 0.1, [0.9840747234, 0.1697523339, 20.37028006, 1.697523339, 0.9962971994]),
        (10, 1.2, 0.5, [0.8503849479, 0.195655944, 4.695742656, 0.391311888, 0.9652128672]),
        (10, 1.2, 1.0, [0.7576078383, 0.213632353, 2.563588235, 0.213632353, 0.9436411765]),
        (10, 1.2, 2.0, [0.6581351726, 0.2329060868, 1.397436521, 0.1164530434, 0.9205126958]),
        (10, 1.5, 0.1, [0.9999955083, 0.3333339199, 50.00008799, 3.333339199, 0.9999991201]),
        (10, 1.5, 0.5, [0.980677905, 0.335856723, 10.07570169, 0.6717134461, 0.9962149155]),
        (10, 1.5, 1.0, [0.9301463393, 0.342455947, 5.136839205, 0.342455947, 0.9863160795]),
        (10, 1.5, 2.0, [0.8466785014, 0.3533565187, 2.65017389, 0.1766782593, 0.969965222]),
        (10, 2.0, 0.1, [1.0, 0.5, 100.0, 5.0, 1.0]),
        (10, 2.0, 0.5, [0.9998350984, 0.5000135491, 20.00054196, 1.000027098, 0.9999729018]),
        (10, 2.0, 1.0, [0.9950045877, 0.5004104471, 10.00820894, 0.5004104471, 0.9991791058]),
        (10, 2.0, 2.0, [0.9676113572, 0.5026612067, 5.026612067, 0.2513306033, 0.9946775866]),
        (50, 0.7, 0.1, [0.0108637704, 6.990106674e-05, 0.02446537336, 0.0006990106674, 0.6999510693]),
        (50, 0.7, 0.5, [0.01033860962, 0.0002974790405, 0.02082353284, 0.000594958081, 0.6997917647]),
        (50, 0.7, 1.0, [0.009845502476, 0.0005111665927, 0.01789083075, 0.0005111665927, 0.6996421834]),
        (50, 0.7, 2.0, [0.00913895025, 0.000817350389, 0.01430363181, 0.0004086751945, 0.6994278547]),
        (50, 0.9, 0.1, [0.3339329761, 0.005228007334, 2.3526033, 0.05228007334, 0.8952947934]),
        (50, 0.9, 0.5, [0.2795752835, 0.01472243629, 1.325019266, 0.02944487257, 0.8867498073]),
        (50, 0.9, 1.0, [0.2468020344, 0.02044680152, 0.9201060684, 0.02044680152, 0.8815978786]),
        (50, 0.9, 2.0, [0.2115318786, 0.02660729091, 0.5986640454, 0.01330364545, 0.8760534382]),
        (50, 1.0, 0.1, [0.7685175031, 0.02709575731, 13.54787865, 0.2709575731, 0.9729042427]),
        (50, 1.0, 0.5, [0.6011676518, 0.04668458591, 4.668458591, 0.09336917183, 0.9533154141]),
        (50, 1.0, 1.0, [0.5188083155, 0.05632500633, 2.816250316, 0.05632500633, 0.9436749937]),
        (50, 1.0, 2.0, [0.4366599671, 0.06594072994, 1.648518248, 0.03297036497, 0.9340592701]),
        (50, 1.2, 0.1, [0.9999906225, 0.1666672583, 100.000355, 1.666672583, 0.9999992901]),
        (50, 1.2, 0.5, [0.9752413935, 0.1682285894, 20.18743073, 0.3364571789, 0.9981256927]),
        (50, 1.2, 1.0, [0.9155933189, 0.1719915511, 10.31949307, 0.1719915511, 0.9936101387]),
        (50, 1.2, 2.0, [0.8196776539, 0.1780424919, 5.341274757, 0.08902124595, 0.9863490097]),
        (50, 1.5, 0.1, [1.0, 0.3333333333, 250.0, 3.333333333, 1.0]),
        (50, 1.5, 0.5, [0.9999943352, 0.3333335289, 50.00002933, 0.6666670578, 0.9999997067]),
        (50, 1.5, 1.0, [0.999096068, 0.3333645374, 25.0023403, 0.3333645374, 0.9999531939]),
        (50, 1.5, 2.0, [0.9864509911, 0.3338010499, 12.51753937, 0.166900525, 0.9992984251]),
        (50, 2.0, 0.1, [1.0, 0.5, 500.0, 5.0, 1.0]),
        (50, 2.0, 0.5, [1.0, 0.5, 100.0, 1.0, 1.0]),
        (50, 2.0, 1.0, [0.9999999882, 0.5000000002, 50.00000002, 0.5000000002, 0.9999999996]),
        (50, 2.0, 2.0, [0.9999642962, 0.500000677, 25.00003385, 0.2500003385, 0.999998646]),
        (100, 0.7, 0.1, [0.0004557747535, 1.491728478e-06, 0.001044209934, 1.491728478e-05, 0.6999989558]),
        (100, 0.7, 0.5, [0.000443374702, 6.808477978e-06, 0.0009531869169, 1.361695596e-05, 0.6999952341]),
        (100, 0.7, 1.0, [0.000430372595, 1.238336985e-05, 0.0008668358896, 1.238336985e-05, 0.6999913316]),
        (100, 0.7, 2.0, [0.0004096500614, 2.126853623e-05, 0.0007443987679, 1.063426811e-05, 0.699985112]),
        (100, 0.9, 0.1, [0.204480036, 0.001768057016, 1.591251314, 0.01768057016, 0.8984087487]),
        (100, 0.9, 0.5, [0.176867608, 0.005686083019, 1.023494943, 0.01137216604, 0.8948825253]),
        (100, 0.9, 1.0, [0.1582209892, 0.008331918341, 0.7498726506, 0.008331918341, 0.8925012735]),
        (100, 0.9, 2.0, [0.136968875, 0.01134745671, 0.5106355519, 0.005673728354, 0.889787289]),
        (100, 1.0, 0.1, [0.7660026034, 0.01916446774, 19.16446774, 0.1916446774, 0.9808355323]),
        (100, 1.0, 0.5, [0.596703138, 0.03303015253, 6.606030506, 0.06606030506, 0.9669698475]),
        (100, 1.0, 1.0, [0.5132987983, 0.03986099681, 3.986099681, 0.03986099681, 0.9601390032]),
        (100, 1.0, 2.0, [0.4299987672, 0.04668329817, 2.334164909, 0.02334164909, 0.9533167018]),
        (100, 1.2, 0.1, [0.9999999989, 0.1666666667, 200.0, 1.666666667, 1.0]),
        (100, 1.2, 0.5, [0.9966343704, 0.166790631, 40.02975143, 0.3335812619, 0.9998512429]),
        (100, 1.2, 1.0, [0.9721362601, 0.1676929557, 20.12315468, 0.1676929557, 0.9987684532]),
        (100, 1.2, 2.0, [0.9057304622, 0.170138842, 10.20833052, 0.08506942102, 0.9958333895]),
        (100, 1.5, 0.1, [1.0, 0.3333333333, 500.0, 3.333333333, 1.0]),
        (100, 1.5, 0.5, [0.9999999997, 0.3333333333, 100.0, 0.6666666667, 1.0]),
        (100, 1.5, 1.0, [0.9999940755, 0.3333334423, 50.00001634, 0.3333334423, 0.9999998366]),
        (100, 1.5, 2.0, [0.9990546582, 0.3333507204, 25.00130403, 0.1666753602, 0.9999739195]),
        (100, 2.0, 0.1, [1.0, 0.5, 1000.0, 5.0, 1.0]),
        (100, 2.0, 0.5, [1.0, 0.5, 200.0, 1.0, 1.0]),
        (100, 2.0, 1.0, [1.0, 0.5, 100.0, 0.5, 1.0]),
        (100, 2.0, 2.0, [0.999999988, 0.5000000001, 50.00000001, 0.2500000001, 0.9999999998]),
    ];

    #[test]
    fn erlang_a_agrees() {
        for &(servers, rho, theta, [p_wait, p_abandon, queue, wait, utilisation]) in ERLANG_A {
            let found = ErlangA::new(servers, rho, 1.0, 1.0 / theta).unwrap();
            let what = (servers, rho, theta);
            assert_close(found.p_wait(), p_wait, what);
            assert_close(found.p_abandon(), p_abandon, what);
            assert_close(found.mean_queue(), queue, what);
            assert_close(found.mean_wait(), wait, what);
            assert_close(found.utilisation(), utilisation, what);
        }
    }

    /// The mean wait of all is that of the served and of those who leave, by their shares; that of the leavers
    /// by the same argument as for the served, summed the other way.
    #[test]
    fn the_served_and_the_leavers_are_everybody() {
        for (servers, rho, theta) in [(1, 0.7, 0.5), (2, 1.5, 0.1), (10, 1.0, 1.0), (50, 1.2, 2.0)] {
            let queue = ErlangA::new(servers, rho, 1.0, 1.0 / theta).unwrap();
            let c = f64::from(servers);
            // Who leaves with i in front has waited for the moves from j down to i.
            let mut left = 0.0;
            for (waiting, p) in queue.full() {
                let (mut here, mut so_far) = (1.0, 0.0);
                for in_front in (0..=waiting).rev() {
                    let rate = c + (in_front as f64 + 1.0) * theta;
                    so_far += 1.0 / rate;
                    left += p * here * theta / rate * so_far;
                    here *= (c + in_front as f64 * theta) / rate;
                }
            }
            let served = queue.mean_wait_served() * (1.0 - queue.p_abandon());
            assert_close(served + left, queue.mean_wait(), (servers, rho, theta));
        }
    }

    /// Endless patience is Erlang C, none at all Erlang B.
    #[test]
    fn between_erlang_b_and_erlang_c() {
        let (patient, endless) = (
            ErlangA::new(8, 0.8, 2.0, 1e12).unwrap(),
            Mmc { servers: 8, utilisation: 0.8, service_mean: 2.0 },
        );
        let close = |found: f64, exact: f64| assert!((found / exact - 1.0).abs() < 1e-8, "{found} {exact}");
        close(patient.p_wait(), endless.p_wait());
        close(patient.mean_wait(), endless.mean_wait());
        close(patient.mean_wait_served(), endless.mean_wait());
        let hasty = ErlangA::new(8, 1.3, 2.0, 1e-9).unwrap();
        close(hasty.p_abandon(), erlang_b(8, 8.0 * 1.3));
        // Only those who find room are served, and half of them when patience and service are as long.
        close(ErlangA::new(1, 1e-12, 3.0, 3.0).unwrap().p_answered_in_time(), 0.5);
        assert!(ErlangA::new(1, 2.0, 1.0, 1e9).is_none(), "a queue of 10^9 is not summed");
    }
}
