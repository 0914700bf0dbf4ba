//! Templates of commands: a line of words says what may stand where, and becomes any number of commands.
//!
//! | in a template | stands for |
//! |---|---|
//! | `WORD` | itself |
//! | `{kind}` | something of that kind, from [`crate::words`] |
//! | `[ a b ]` | `a b` or nothing |
//! | `( a \| b )` | one of them |
//! | `( a b )+` | `a b` once or a few times |
//! | `#( a )` | a number, then `a` as often |
//! | `< a b >` | its parts in any order |

use crate::random::Random;
use crate::words::Words;

/// A template that was read.
#[derive(Debug)]
pub struct Template {
    nodes: Vec<Node>,
    line: &'static str,
}

#[derive(Debug)]
enum Node {
    Word(&'static str),
    Kind(&'static str),
    Maybe(Vec<Node>),
    OneOf(Vec<Vec<Node>>),
    Some(Vec<Node>),
    Counted(Vec<Node>),
    AnyOrder(Vec<Node>),
}

impl Template {
    /// Reads a template.
    pub fn read(line: &'static str) -> Self {
        let mut words = line.split(' ');
        let (mut branches, end) = branches(&mut words);
        assert!(end.is_empty() && branches.len() == 1, "not a template: {line}");
        Self { nodes: branches.remove(0), line }
    }

    /// A command that it allows.
    pub fn command(&self, words: &Words, random: &mut Random) -> Vec<Vec<u8>> {
        let mut args = Vec::new();
        expand(&self.nodes, words, random, &mut args);
        args
    }

    /// Whether it is only for sorted sets with one score, only for others, or for both.
    pub fn suits_one_score(&self) -> Option<bool> {
        let others = ["ZINCRBY", "ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE"];
        if self.line.contains("{lex}") {
            Some(true)
        } else if others.iter().any(|name| self.line.starts_with(name))
            || self.line.ends_with("INCR > {score} {member}")
        {
            Some(false)
        } else {
            None
        }
    }

    /// Whether scores are among its arguments.
    pub fn makes_scores(&self) -> bool {
        self.line.contains("{score}")
    }

    /// The name as COMMAND INFO knows it; a subcommand's with its container's.
    pub fn name(&self) -> String {
        let mut names = self.nodes.iter().map_while(|node| match node {
            Node::Word(word) => Some(word.to_lowercase()),
            _ => None,
        });
        let first = names.next().expect("a name");
        match names.next() {
            Some(second)
                if matches!(first.as_str(), "object" | "memory" | "client" | "config" | "pubsub") =>
            {
                format!("{first}|{second}")
            }
            _ => first,
        }
    }
}

/// What stands before the closing word, which is answered too, in the parts that `|` makes.
fn branches(words: &mut std::str::Split<'static, char>) -> (Vec<Vec<Node>>, &'static str) {
    let mut branches = vec![Vec::new()];
    while let Some(word) = words.next() {
        let node = match word {
            "|" => {
                branches.push(Vec::new());
                continue;
            }
            "]" | ")" | ")+" | ">" => return (branches, word),
            "[" => Node::Maybe(single(words, "]")),
            "#(" => Node::Counted(single(words, ")")),
            "<" => Node::AnyOrder(single(words, ">")),
            "(" => match self::branches(words) {
                (inner, ")") => Node::OneOf(inner),
                (mut inner, ")+") if inner.len() == 1 => Node::Some(inner.remove(0)),
                (_, end) => panic!("( is closed by {end:?}"),
            },
            word => match word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) {
                Some(kind) => Node::Kind(kind),
                None => Node::Word(word),
            },
        };
        branches.last_mut().expect("one at least").push(node);
    }
    (branches, "")
}

fn single(words: &mut std::str::Split<'static, char>, end: &str) -> Vec<Node> {
    let (mut inner, closed_by) = branches(words);
    assert!(inner.len() == 1 && closed_by == end, "{end} is missing");
    inner.remove(0)
}

fn expand(nodes: &[Node], words: &Words, random: &mut Random, args: &mut Vec<Vec<u8>>) {
    for node in nodes {
        match node {
            Node::Word(word) => args.push(word.as_bytes().to_vec()),
            Node::Kind(kind) => args.push(words.of_kind(kind, random)),
            Node::Maybe(inner) => {
                if random.below(5) < 2 {
                    expand(inner, words, random, args);
                }
            }
            Node::OneOf(branches) => {
                let branch = &branches[random.below(branches.len() as u64) as usize];
                expand(branch, words, random, args);
            }
            Node::Some(inner) => {
                for _ in 0..few(words, random) {
                    expand(inner, words, random, args);
                }
            }
            Node::Counted(inner) => {
                let count = few(words, random);
                args.push(count.to_string().into_bytes());
                for _ in 0..count {
                    expand(inner, words, random, args);
                }
            }
            Node::AnyOrder(inner) => {
                let mut order: Vec<&Node> = inner.iter().collect();
                for at in (1..order.len()).rev() {
                    order.swap(at, random.below(at as u64 + 1) as usize);
                }
                for node in order {
                    expand(std::slice::from_ref(node), words, random, args);
                }
            }
        }
    }
}

/// One, more often than more; now and then so many that a packed collection becomes a tree, or a tree a large one.
fn few(words: &Words, random: &mut Random) -> u64 {
    match random.below(20) {
        0..12 => 1,
        12..19 => 2 + random.below(3),
        _ => 5 + random.below(12.max(words.members / 12)),
    }
}
