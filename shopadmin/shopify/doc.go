// Package shopify speaks to one Shopify store through the Admin GraphQL API.
//
// It talks and translates, and decides nothing. Three habits shape it:
//
//   - Nothing here gives the store contact data of a buyer, so the store has nobody to write to
//     . Receipts are switched off as well; notices to the merchant's staff are not.
//   - A mirrored order carries a mark in three places: a metafield of type id that only this app
//     can write, the source identifier, and the attribute "channel". Any of the first or the last
//     two together is enough to recognise the order.
//   - Lists are paged to their end or the order is reported as faulty; nothing is cut off in silence.
//
// Access scopes: read_orders, write_orders (creating, refunding, cancelling), read_products,
// read_ and write_merchant_managed_fulfillment_orders (holds), and read_locations for refunds that
// put goods back. Cancelling reads the store's verdict on its job, which needs API version 2026-10.
//
// The demands of the law about personal data (ComplianceTopics) cannot be subscribed to through
// the API: the app's configuration names their address.
//
// Creating an order twice makes two orders: Shopify has no idempotency key for it. A lost answer
// is therefore fault.Unknown, and the ledger looks for the mark before it tries again.
package shopify
