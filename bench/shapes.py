"""Checkpoints of well-known shapes, made here: random weights, real tokenizers, no download.

Speed does not depend on the weights' values, accuracy does: never judge answers by these. As in
trained encoders, two columns of every LayerNorm are far larger than the rest, so that int8 engines
pay for outliers here what they pay for them there. bench/compare.py --shape uses this.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROBERTA_TOKENIZER = ROOT / "tests/golden/tokenizers/roberta-base"
BERT_TOKENIZER = ROOT / "models/undertone-minilm-l6"
SHAPES = {
    "roberta-base": ("roberta", 768, 12, 12, 3072),
    "bert-base": ("bert", 768, 12, 12, 3072),
    "distilbert": ("distilbert", 768, 6, 12, 3072),
    "minilm-l6": ("bert", 384, 6, 12, 1536),
}
LABELS = ("negative", "neutral", "positive")


def make_tokenizer(kind):
    from transformers import BertTokenizerFast, DistilBertTokenizerFast, RobertaTokenizerFast

    if kind == "roberta":
        return RobertaTokenizerFast(vocab_file=str(ROBERTA_TOKENIZER / "vocab.json"),
                                    merges_file=str(ROBERTA_TOKENIZER / "merges.txt"))
    # The same tokenizer, but DistilBERT's knows that its network takes no token types.
    wordpiece = DistilBertTokenizerFast if kind == "distilbert" else BertTokenizerFast
    return wordpiece(vocab_file=str(BERT_TOKENIZER / "vocab.txt"), do_lower_case=True)


def make_network(kind, hidden, layers, heads, ffn):
    import transformers

    labels = dict(num_labels=len(LABELS), id2label=dict(enumerate(LABELS)),
                  label2id={name: number for number, name in enumerate(LABELS)})
    if kind == "distilbert":
        config = transformers.DistilBertConfig(vocab_size=30522, dim=hidden, n_layers=layers,
                                               n_heads=heads, hidden_dim=ffn, **labels)
        return transformers.DistilBertForSequenceClassification(config)
    size = dict(hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
                intermediate_size=ffn, **labels)
    if kind == "roberta":
        config = transformers.RobertaConfig(vocab_size=50265, max_position_embeddings=514,
                                            type_vocab_size=1, layer_norm_eps=1e-5, **size)
        return transformers.RobertaForSequenceClassification(config)
    return transformers.BertForSequenceClassification(
        transformers.BertConfig(vocab_size=30522, **size))


def make_checkpoint(shape, folder):
    """The folder of this shape's checkpoint, made if it is not there yet."""
    import torch

    folder = Path(folder)
    if (folder / "model.safetensors").exists():
        return folder
    torch.manual_seed(1)
    network = make_network(*SHAPES[shape]).eval()
    with torch.no_grad():
        for name, values in network.named_parameters():
            if name.lower().endswith(("layernorm.weight", "layer_norm.weight")):
                values[:2] = 12.0
            elif name.endswith("bias"):
                values.normal_(0, 0.02)
    make_tokenizer(SHAPES[shape][0]).save_pretrained(folder)
    network.save_pretrained(folder)
    return folder
