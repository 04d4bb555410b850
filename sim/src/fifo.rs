//! Output FIFO: ideal, `depth` beats.
//!
//! **Contract.** A beat pushed in cycle `u` can be taken from cycle `u + 1` on. The beat that was at the head at the start of a cycle
//! stays readable until the next cycle begins, even when it is taken and the FIFO is pushed in the same cycle.
//! **Errors.** [`Fifo::push`] says whether there was room.

/// Beats of `width` words with a last flag.
#[derive(Debug, Clone)]
pub(crate) struct Fifo {
    data: Vec<u16>,
    last: Vec<bool>,
    width: usize,
    depth: usize,
    head: usize,
    count: usize,
}

impl Fifo {
    pub(crate) fn new(depth: usize, width: usize) -> Self {
        // One entry more than the depth: a push beside a pop of a full FIFO must not touch the beat being read.
        Self {
            data: vec![0; (depth + 1) * width],
            last: vec![false; depth + 1],
            width,
            depth,
            head: 0,
            count: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn head(&self) -> usize {
        self.head
    }

    pub(crate) fn beat(&self, at: usize) -> (&[u16], bool) {
        (
            &self.data[at * self.width..(at + 1) * self.width],
            self.last[at],
        )
    }

    pub(crate) fn pop(&mut self) {
        self.head = if self.head == self.depth {
            0
        } else {
            self.head + 1
        };
        self.count -= 1;
    }

    /// False when the FIFO was full.
    pub(crate) fn push(&mut self, beat: &[u16], last: bool) -> bool {
        if self.count == self.depth {
            return false;
        }
        let mut tail = self.head + self.count;
        if tail > self.depth {
            tail -= self.depth + 1;
        }
        self.data[tail * self.width..(tail + 1) * self.width].copy_from_slice(beat);
        self.last[tail] = last;
        self.count += 1;
        true
    }

    pub(crate) fn clear(&mut self) {
        self.head = 0;
        self.count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_capacity_and_wrap() {
        let mut f = Fifo::new(2, 1);
        assert!(f.push(&[1], false) && f.push(&[2], true));
        assert!(!f.push(&[3], false), "full");
        let head = f.head();
        f.pop();
        assert!(f.push(&[3], false));
        assert_eq!(
            f.beat(head),
            (&[1u16][..], false),
            "the taken beat stays readable"
        );
        assert_eq!(f.beat(f.head()), (&[2u16][..], true));
        f.pop();
        assert_eq!(f.beat(f.head()).0, [3]);
        f.pop();
        assert!(f.is_empty());
    }
}
