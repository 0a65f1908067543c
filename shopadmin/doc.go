// Package shopadmin says what the bridge needs from a store admin (Shopify, ShopBase, …).
//
// Orders here are the store's statements. The only translation between a channel's order and
// a store's order is connector/order/translate.go; adapters below this folder speak to one
// store system each and decide nothing.
package shopadmin
