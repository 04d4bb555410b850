//! FIFO and output unit, docs/machine.md section 5.

use std::collections::VecDeque;

use super::dispatcher::OutCommand;

/// Ideal FIFO.
#[derive(Debug, Clone)]
pub struct Fifo<T> {
    depth: usize,
    words: VecDeque<T>,
}

impl<T: Clone> Fifo<T> {
    /// Empty, of this capacity.
    pub const fn new(depth: usize) -> Self {
        Self {
            depth,
            words: VecDeque::new(),
        }
    }

    /// Input side: a word is accepted when offered.
    pub fn ready(&self) -> bool {
        self.words.len() < self.depth
    }

    /// Output side: the oldest word.
    pub fn head(&self) -> Option<&T> {
        self.words.front()
    }

    /// The clock edge: `push` as offered, `pop` as ready.
    pub fn clock(&mut self, push: Option<T>, pop: bool) {
        let ready = self.ready();
        if pop {
            self.words.pop_front();
        }
        if let Some(word) = push.filter(|_| ready) {
            self.words.push_back(word);
        }
    }

    /// Empties it.
    pub fn reset(&mut self) {
        self.words.clear();
    }
}

/// Write of an exchange lane into its bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneWrite {
    /// Physical address.
    pub addr: u32,
    /// Lanes written.
    pub mask: u64,
    /// All lanes.
    pub data: Vec<u16>,
}

/// A beat on the output stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputBeat {
    /// Ends a packet.
    pub last: bool,
    /// Lanes.
    pub data: Vec<u16>,
}

/// Output unit: mirror of the banks and the output FIFO.
#[derive(Debug, Clone)]
pub struct OutputUnit {
    banks: Vec<Vec<Vec<u16>>>,
    stage: Option<OutputBeat>,
    fifo: Fifo<OutputBeat>,
}

impl OutputUnit {
    /// All banks zero.
    pub fn new(
        num_banks: usize,
        block_size: usize,
        tensor_depth: usize,
        fifo_depth: usize,
    ) -> Self {
        Self {
            banks: vec![vec![vec![0; block_size]; tensor_depth]; num_banks],
            stage: None,
            fifo: Fifo::new(fifo_depth),
        }
    }

    /// One cycle: `lanes[s]` writes bank s. Returns what the output stream shows in this cycle.
    pub fn step(
        &mut self,
        reset_n: bool,
        command: Option<OutCommand>,
        lanes: &[Option<LaneWrite>],
        output_ready: bool,
    ) -> Option<OutputBeat> {
        let shown = self.fifo.head().cloned();
        // A read sees what is written in its cycle.
        for (bank, write) in self.banks.iter_mut().zip(lanes) {
            if let Some(w) = write {
                let block = &mut bank[w.addr as usize];
                for (k, (lane, &value)) in block.iter_mut().zip(&w.data).enumerate() {
                    if w.mask >> k & 1 == 1 {
                        *lane = value;
                    }
                }
            }
        }
        let read = command.map(|c| {
            let mut data = self.banks[c.bank as usize][c.addr as usize].clone();
            data.iter_mut().skip(c.lanes as usize).for_each(|x| *x = 0);
            OutputBeat { last: c.last, data }
        });
        if reset_n {
            let pushed = std::mem::replace(&mut self.stage, read);
            self.fifo.clock(pushed, output_ready);
        } else {
            self.stage = None;
            self.fifo.reset();
        }
        shown
    }
}
