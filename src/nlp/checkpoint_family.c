/* checkpoint_family.c - see checkpoint_family.h. One post-LayerNorm encoder under four sets of
 * names (transformers, modeling_*.py); what else differs is how positions count and what the head
 * does between its two products. XLM-RoBERTa is RoBERTa with another vocabulary, down to the
 * prefix. */
#include "nlp/checkpoint_family.h"

#include <string.h>

#define BERT_KEYS                                                                               \
    {                                                                                           \
        .layers = "num_hidden_layers", .hidden = "hidden_size", .heads = "num_attention_heads", \
        .ffn = "intermediate_size", .activation = "hidden_act", .epsilon = "layer_norm_eps",    \
        .types = "type_vocab_size"                                                              \
    }

#define BERT_NAMES                                                                                 \
    .word_embeddings = "embeddings.word_embeddings",                                               \
    .position_embeddings = "embeddings.position_embeddings",                                       \
    .type_embeddings = "embeddings.token_type_embeddings",                                         \
    .embeddings_norm = "embeddings.LayerNorm", .layer_prefix = "encoder.layer.",                   \
    .query = "attention.self.query", .key = "attention.self.key", .value = "attention.self.value", \
    .attention_output = "attention.output.dense", .attention_norm = "attention.output.LayerNorm",  \
    .ffn_input = "intermediate.dense", .ffn_output = "output.dense",                               \
    .ffn_norm = "output.LayerNorm"

#define ROBERTA_HEAD                                                                 \
    .head_dense = "classifier.dense", .head_activation = CHECKPOINT_ACTIVATION_TANH, \
    .head_output = "classifier.out_proj"

static const struct checkpoint_family families[] = {
    {
        .model_type = "bert",
        .architecture = "BertForSequenceClassification",
        .prefix = "bert.",
        .keys = BERT_KEYS,
        .positions = CHECKPOINT_POSITIONS_FROM_ZERO,
        .pad_id = 0,
        BERT_NAMES,
        .head_dense = "pooler.dense",
        .head_activation = CHECKPOINT_ACTIVATION_TANH,
        .head_output = "classifier",
    },
    {
        .model_type = "roberta",
        .architecture = "RobertaForSequenceClassification",
        .prefix = "roberta.",
        .keys = BERT_KEYS,
        .positions = CHECKPOINT_POSITIONS_AFTER_PADDING,
        .pad_id = 1,
        BERT_NAMES,
        ROBERTA_HEAD,
    },
    {
        .model_type = "xlm-roberta",
        .architecture = "XLMRobertaForSequenceClassification",
        .prefix = "roberta.",
        .keys = BERT_KEYS,
        .positions = CHECKPOINT_POSITIONS_AFTER_PADDING,
        .pad_id = 1,
        BERT_NAMES,
        ROBERTA_HEAD,
    },
    {
        .model_type = "distilbert",
        .architecture = "DistilBertForSequenceClassification",
        .prefix = "distilbert.",
        .keys = {.layers = "n_layers",
                 .hidden = "dim",
                 .heads = "n_heads",
                 .ffn = "hidden_dim",
                 .activation = "activation"},
        .positions = CHECKPOINT_POSITIONS_FROM_ZERO,
        .pad_id = 0,
        .word_embeddings = "embeddings.word_embeddings",
        .position_embeddings = "embeddings.position_embeddings",
        .embeddings_norm = "embeddings.LayerNorm",
        .layer_prefix = "transformer.layer.",
        .query = "attention.q_lin",
        .key = "attention.k_lin",
        .value = "attention.v_lin",
        .attention_output = "attention.out_lin",
        .attention_norm = "sa_layer_norm",
        .ffn_input = "ffn.lin1",
        .ffn_output = "ffn.lin2",
        .ffn_norm = "output_layer_norm",
        .head_dense = "pre_classifier",
        .head_activation = CHECKPOINT_ACTIVATION_RELU,
        .head_output = "classifier",
    },
};

const struct checkpoint_family *checkpoint_family_find(const char *model_type)
{
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (strcmp(families[i].model_type, model_type) == 0) {
            return &families[i];
        }
    }
    return NULL;
}
