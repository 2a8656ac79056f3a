/* config/wire.h - from the configuration to the options of each room. Pure. */
#ifndef CONFIG_WIRE_H
#define CONFIG_WIRE_H

#include "config/config.h"
#include "cxone/contact_event.h"
#include "cxone/cxone.h"
#include "flow/pipeline.h"
#include "net/http_client.h"
#include "nlp/scorer.h"

void wire_mood(const struct config *config, struct mood_policy *policy);
void wire_pipeline(const struct config *config, uint64_t seed, struct pipeline_options *options);
void wire_cxone(const struct config *config, uint64_t seed, struct cxone_options *options);

/* How a post to the webhook is read; borrows of config. */
void wire_contact_events(const struct config *config, struct contact_event_map *map);

/* The ways an alert goes out, enum cxone_delivery or-ed; returns a word that is none, or NULL. */
const char *wire_deliveries(const struct config *config, unsigned *ways);

void wire_scorer(const struct config *config, struct scorer_options *options);
void wire_http_client(const struct config *config, struct http_client_options *options);

/* "address:port" or "[ipv6]:port" into its parts; ERROR_CONFIG otherwise. address has
 * WIRE_ADDRESS_BYTES. */
enum { WIRE_ADDRESS_BYTES = 64 };
int wire_listen(const char *listen, char *address, uint16_t *port, struct error *err);

/* Whether an address of wire_listen's is this machine's own. */
bool wire_is_loopback(const char *address);

#endif
