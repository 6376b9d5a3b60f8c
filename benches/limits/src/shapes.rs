//! The classes of the three shapes, as `xpbench` declares them: a struct each, and one enum a shape.

macro_rules! shape {
    ($shape:ident: $($class:ident { $($field:ident: $type:ty),* })*) => {
        pub mod $shape {
            #![allow(dead_code, reason = "parsed is all it needs to be")]

            #[allow(unused_imports, reason = "not every shape has every kind of value")]
            use crate::values::{Dict, Enum, Place, Ref, Scalar, Text};

            $(
                #[derive(serde::Deserialize)]
                #[serde(bound(deserialize = "'de: 'a"))]
                pub struct $class<'a> { $($field: $type),* }
            )*

            pub enum Fields<'a> { $($class($class<'a>)),* }

            pub struct Shape;
            impl crate::line::Kind for Shape {
                type Line<'a> = crate::line::Line<'a, Fields<'a>>;
            }

            impl<'de: 'a, 'a> crate::line::OfClass<'de> for Fields<'a> {
                fn read<A: serde::de::MapAccess<'de>>(class: &str, map: &mut A) -> Result<Self, A::Error> {
                    match class {
                        $(stringify!($class) => map.next_value().map(Fields::$class),)*
                        other => Err(serde::de::Error::custom(format_args!("no class {other}"))),
                    }
                }
            }
        }
    };
}

shape! { grid:
    Model { name: Text<'a>, hidden_size: i64 }
    Train { model: Ref<'a>, learning_rate: f64 }
}

shape! { rich:
    Normalizer { lowercase: bool, strip_accents: bool, form: Text<'a> }
    Tokenizer { name: Text<'a>, vocab_size: i64, vocab: Place<'a>, normalizer: Ref<'a> }
    Dataset { id_: Text<'a>, path: Place<'a>, size: i64, split: Dict<'a, f64>, tokenizer: Ref<'a> }
    Scheduler { kind: Text<'a>, warmup_steps: i64, milestones: Vec<i64>, final_factor: f64 }
    Optimizer { kind: Enum<'a>, lr: f64, betas: Vec<f64>, weight_decay: f64, momentum: Option<f64>,
        scheduler: Ref<'a> }
    Positional { kind: Text<'a>, max_len: i64, theta: f64 }
    Attention { heads: i64, head_dim: i64, dropout: f64, causal: bool, pos: Ref<'a> }
    Encoder { layers: i64, d_model: i64, d_ff: i64, activation: Enum<'a>, norm_eps: f64, attention: Ref<'a> }
    Model { name: Text<'a>, encoder: Ref<'a>, tie_embeddings: bool, init_std: f64 }
    Regularizer { kind: Text<'a>, weight: f64 }
    Train { model: Ref<'a>, data: Ref<'a>, optimizer: Ref<'a>, regularizers: Vec<Ref<'a>>, seed: i64, epochs: i64,
        batch_size: i64, grad_clip: Option<f64>, precision: Enum<'a>, layer_decay: Vec<f64>,
        notes: Dict<'a, Text<'a>>, resume: Option<Place<'a>>, out: Place<'a> }
    Eval { train: Ref<'a>, data: Ref<'a>, metrics: Vec<Text<'a>>, cutoffs: Vec<i64>, beam: i64,
        options: Dict<'a, f64>, report: Place<'a> }
}

// as benches/make_wide.py draws them
shape! { wide:
    Common { project: Text<'a>, root: Place<'a>, debug: bool }
    Linear { name: Text<'a>, dim: i64, bias: bool }
    Conv { name: Text<'a>, channels: i64, kernel: Vec<i64> }
    Tree { name: Text<'a>, dim: Text<'a>, max_depth: Option<i64>, leaf: Ref<'a> }
        Task00 { common: Ref<'a>, component: Ref<'a>, limit: bool, ratio: bool, width: Vec<Text<'a>>, top_k:
        f64, policy: i64, mode: f64, seeded: Text<'a>, margin: Text<'a>, gamma: bool, out: Place<'a> }
        Task01 { common: Ref<'a>, component: Ref<'a>, margin: Text<'a>, prompt: Text<'a>, channels: i64,
        depth: f64, labels: bool, path: f64, alpha: Text<'a>, weights: bool, width: bool, groups: i64, out:
        Place<'a> }
        Task02 { common: Ref<'a>, component: Ref<'a>, beta: i64, threshold: f64, temperature: f64, steps:
        bool, rate: Place<'a>, top_p: Text<'a>, normalize: f64, limit: i64, bins: i64, prompt: Text<'a>,
        seeded: f64, out: Place<'a> }
        Task03 { common: Ref<'a>, component: Ref<'a>, parent: Ref<'a>, size: bool, patience: f64, threshold:
        f64, top_k: f64, channels: i64, metric: i64, margin: Text<'a>, beta: i64, policy: i64, budget: bool,
        label: i64, steps: bool, out: Place<'a> }
        Task04 { common: Ref<'a>, component: Ref<'a>, threshold: f64, policy: f64, mode: f64, margin:
        Text<'a>, rate: Enum<'a>, temperature: Text<'a>, offset: bool, seeded: Text<'a>, steps: Option<i64>,
        beta: i64, weights: Option<i64>, language: i64, width: i64, out: Place<'a> }
        Task05 { common: Ref<'a>, component: Ref<'a>, limit: bool, width: i64, threshold: i64, steps: bool,
        beta: i64, kernel: Dict<'a, f64>, stride: bool, patience: f64, channels: i64, seeded: Text<'a>,
        normalize: f64, label: i64, prompt: i64, offset: bool, out: Place<'a> }
        Task06 { common: Ref<'a>, component: Ref<'a>, labels: Dict<'a, f64>, channels: i64, depth: f64,
        stride: Vec<Text<'a>>, patience: f64, normalize: Option<Text<'a>>, beta: i64, rate: i64, kernel:
        f64, out: Place<'a> }
        Task07 { common: Ref<'a>, component: Ref<'a>, parent: Ref<'a>, top_p: Text<'a>, kernel: f64, labels:
        bool, beta: i64, window: i64, rate: i64, depth: f64, stride: bool, mode: f64, order: i64, out:
        Place<'a> }
        Task08 { common: Ref<'a>, component: Ref<'a>, channels: i64, kernel: f64, scale: Vec<Text<'a>>,
        patience: f64, budget: Option<Text<'a>>, bins: Enum<'a>, depth: Text<'a>, prompt: Text<'a>, steps:
        bool, layers: i64, stride: bool, out: Place<'a> }
        Task09 { common: Ref<'a>, component: Ref<'a>, size: bool, steps: Text<'a>, alpha: Text<'a>, margin:
        Text<'a>, weights: bool, stride: bool, channels: Option<Text<'a>>, labels: bool, temperature:
        Enum<'a>, seeded: Text<'a>, path: f64, top_k: f64, out: Place<'a> }
        Task10 { common: Ref<'a>, component: Ref<'a>, rate: i64, temperature: Text<'a>, gamma: Scalar<'a>,
        prompt: Text<'a>, alpha: Text<'a>, budget: Text<'a>, offset: bool, language: i64, scale:
        Vec<Text<'a>>, weights: Text<'a>, window: i64, shuffle: f64, ratio: bool, out: Place<'a> }
        Task11 { common: Ref<'a>, component: Ref<'a>, parent: Ref<'a>, channels: f64, metric: i64, gamma:
        bool, temperature: Text<'a>, scale: i64, size: bool, labels: bool, margin: Text<'a>, bins: Text<'a>,
        shuffle: f64, width: Scalar<'a>, ratio: bool, limit: bool, budget: bool, out: Place<'a> }
        Task12 { common: Ref<'a>, component: Ref<'a>, budget: bool, margin: i64, alpha: Text<'a>, size:
        bool, steps: bool, seeded: Vec<Text<'a>>, depth: f64, weights: bool, normalize: f64, out: Place<'a>
        }
        Task13 { common: Ref<'a>, component: Ref<'a>, policy: i64, path: f64, steps: bool, label: i64, size:
        bool, width: i64, normalize: Option<Text<'a>>, shuffle: f64, top_p: Text<'a>, channels: i64, out:
        Place<'a> }
        Task14 { common: Ref<'a>, component: Ref<'a>, gamma: bool, stride: bool, threshold: f64, beta: i64,
        layers: Vec<Text<'a>>, policy: i64, label: Vec<Text<'a>>, groups: Enum<'a>, normalize: Dict<'a,
        f64>, labels: bool, seeded: Text<'a>, out: Place<'a> }
        Task15 { common: Ref<'a>, component: Ref<'a>, parent: Ref<'a>, weights: bool, limit: bool, size:
        bool, alpha: Text<'a>, window: i64, layers: i64, groups: i64, scale: i64, label: i64, order:
        Option<Text<'a>>, threshold: i64, beta: i64, out: Place<'a> }
        Task16 { common: Ref<'a>, component: Ref<'a>, depth: f64, budget: bool, order: i64, margin:
        Vec<Text<'a>>, language: i64, layers: i64, limit: bool, labels: Text<'a>, window: i64, gamma:
        Option<i64>, offset: bool, normalize: f64, kernel: f64, out: Place<'a> }
        Task17 { common: Ref<'a>, component: Ref<'a>, mode: Vec<i64>, normalize: f64, threshold: f64, top_k:
        f64, patience: Enum<'a>, language: Vec<i64>, metric: f64, temperature: Text<'a>, beta: i64,
        quantile: bool, groups: i64, alpha: Enum<'a>, scale: i64, ratio: Enum<'a>, out: Place<'a> }
        Task18 { common: Ref<'a>, component: Ref<'a>, threshold: f64, top_k: Enum<'a>, width: i64, prompt:
        bool, shuffle: f64, quantile: bool, top_p: Text<'a>, mode: f64, groups: Scalar<'a>, out: Place<'a> }
        Task19 { common: Ref<'a>, component: Ref<'a>, parent: Ref<'a>, gamma: bool, path: f64, ratio: bool,
        normalize: f64, metric: i64, prompt: Place<'a>, alpha: Text<'a>, margin: Text<'a>, offset: bool,
        budget: Place<'a>, out: Place<'a> }
}
