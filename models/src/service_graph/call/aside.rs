//! Calls that nobody waits for any more, and go on.

use super::cancel::Why;
use crate::policy::Ending;
use crate::policy::cancel::Cancel;
use crate::service_graph::follow::Listen;
use crate::service_graph::state::*;

impl<L: Listen> Graph<L> {
    /// A request goes on without one of its calls: other calls answered in its place, or failed as well. Says whether it goes on.
    #[inline(never)]
    pub fn leave_behind(&mut self, id: CallId, answered: bool, ctx: &mut Ctx) -> bool {
        self.is_for_nobody(id);
        let edge = self.calls[id].edge;
        let why = if answered { Why::Overtaken } else { Why::GivenUp };
        let says = match self.edges[edge as usize].policy.cancel {
            Cancel::Never => false,
            Cancel::Losers => answered,
            Cancel::Always => true,
        };
        if says {
            while let Some(attempt) = self.calls[id].live {
                self.cut_off(self.attempts.id(attempt), why, ctx);
            }
            self.end_call(id, Ending::Cancelled, ctx);
        }
        !says
    }

    /// A request is answered that had such calls out, without them: they go on, as those of one that fails do.
    #[cold]
    pub fn is_answered_without_the_rest(&mut self, id: AttemptId) {
        while let Some(&call) = self.calls_of.get(id.index()).and_then(|calls| calls.last()) {
            self.is_for_nobody(call);
        }
        debug_assert!(self.attempts[id].outstanding == 0);
    }

    /// The request that makes a call waits for it no more, and may be gone before it ends.
    fn is_for_nobody(&mut self, id: CallId) {
        let Call { parent, edge, .. } = self.calls[id];
        let Parent::Request { attempt: by, .. } = parent else { unreachable!("a request makes it") };
        self.strike_from_request(id, edge.into(), parent);
        let request = &mut self.attempts[by];
        request.outstanding -= 1;
        self.calls[id].parent = Parent::Aside { by, workload: request.workload, wanted: false };
        self.listener.tell(|tracer| tracer.left_behind(id));
    }
}
