//! A caller that no longer waits says so, where its policy does.

use crate::network::Way;
use crate::policy::cancel::Cancel;
use crate::policy::{Ending, Outcome};
use crate::service_graph::follow::Listen;
use crate::service_graph::state::*;

/// A cancellation has luck of its own on the way out.
pub(super) const CANCELLATION: u64 = 1 << 33;

/// Why a caller stops waiting.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// It has waited long enough, or nobody waits for it.
    GivenUp,
    /// Another attempt of the call made this one useless.
    Overtaken,
    /// It is dead, and says nothing.
    Dead,
}

impl<L: Listen> Graph<L> {
    /// The caller is done with an attempt that is still out, and says so if its policy does.
    #[inline(never)]
    pub(super) fn end_and_call_off(&mut self, id: AttemptId, outcome: Outcome, why: Why, ctx: &mut Ctx) {
        let Attempt { edge, server, .. } = self.attempts[id];
        if server == Server::Unsent {
            return self.no_longer_connects(id, ctx);
        }
        self.end_attempt(id, outcome, ctx);
        let says = match self.edges[edge as usize].policy.cancel {
            Cancel::Never => false,
            Cancel::Losers => why == Why::Overtaken,
            Cancel::Always => why != Why::Dead,
        };
        // It is gone if its request was lost.
        if says && self.attempts.get(id).is_some() {
            self.transmit_cancel(id, ctx);
        }
    }

    /// Puts a cancellation on the network.
    pub(super) fn transmit_cancel(&mut self, id: AttemptId, ctx: &mut Ctx) {
        let attempt = &self.attempts[id];
        let key = attempt.key.child(CANCELLATION);
        let fate = self.edges[attempt.edge as usize].link.send(ctx.now(), key, Way::Out);
        self.meet(fate, Message::Cancel(id), ctx)
    }

    /// Lists a call with the request that makes it, so that it ends when that is called off.
    #[inline(never)]
    pub(super) fn list_with_request(&mut self, id: CallId, parent: Parent) {
        if let Parent::Request { attempt, .. } = parent {
            if self.calls_of.len() <= attempt.index() {
                self.calls_of.resize_with(attempt.index() + 1, Vec::new);
            }
            self.sibling_standings.join(&mut self.calls_of[attempt.index()], id);
        }
    }

    /// Takes a call off that list.
    #[inline(always)]
    pub(super) fn strike_from_request(&mut self, id: CallId, edge: u32, parent: Parent) {
        if self.edges[edge as usize].stopped
            && let Parent::Request { attempt, .. } = parent
        {
            self.sibling_standings.leave(&mut self.calls_of[attempt.index()], id);
        }
    }

    /// The request that makes a call was called off: the call ends, and says so in turn.
    pub fn call_off_call(&mut self, id: CallId, ctx: &mut Ctx) {
        while let Some(attempt) = self.calls[id].live {
            self.cut_off(self.attempts.id(attempt), Why::GivenUp, ctx);
        }
        self.cancel_call(id, ctx);
    }

    /// Why the attempts of a call that ends so are cut off.
    pub(super) fn why(end: Ending) -> Why {
        if end == Ending::Cancelled { Why::Dead } else { Why::GivenUp }
    }
}
