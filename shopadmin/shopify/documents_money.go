package shopify

// The operations about money given back and orders cancelled.

const transactionFields = `
fragment TransactionFields on OrderTransaction {
  id kind status gateway
  amountSet { shopMoney { amount currencyCode } }
  parentTransaction { id }
}
`

const refundFields = `
fragment RefundFields on Refund {
  id createdAt note
  refundLineItems(first: 10) { nodes { ...RefundLineFields } pageInfo { hasNextPage endCursor } }
  refundShippingLines(first: 5) { nodes { ...RefundShippingFields } pageInfo { hasNextPage endCursor } }
  orderAdjustments(first: 5) { nodes { reason } }
  transactions(first: 5) { nodes { ...TransactionFields } pageInfo { hasNextPage endCursor } }
}
` + refundPartFields

const refundPartFields = `
fragment RefundLineFields on RefundLineItem {
  quantity restockType lineItem { id }
  subtotalSet { shopMoney { amount currencyCode } }
  totalTaxSet { shopMoney { amount currencyCode } }
}
fragment RefundShippingFields on RefundShippingLine {
  subtotalAmountSet { shopMoney { amount currencyCode } }
  taxAmountSet { shopMoney { amount currencyCode } }
}
` + transactionFields

// listLimit is how many refunds of an order can be read: they are a plain list without a cursor,
// of which the store gives 250 entries at most. Of its transactions, another such list, a question
// for more than 200 would cost more than the store allows.
const listLimit = 250

var (
	docRefundIDs = document{name: "RefundIDs", cost: 260, text: `
query RefundIDs($id: ID!) {
  order(id: $id) { refunds(first: 250) { id } }
}`}

	docRefunds = document{name: "Refunds", cost: 670, text: `
query Refunds($ids: [ID!]!) {
  nodes(ids: $ids) { ... on Refund { ...RefundFields } }
}` + refundFields}

	docRefundLines = document{name: "RefundLines", cost: 700, text: `
query RefundLines($id: ID!, $after: String) {
  refund(id: $id) {
    refundLineItems(first: 100, after: $after) { nodes { ...RefundLineFields } pageInfo { hasNextPage endCursor } }
  }
}
fragment RefundLineFields on RefundLineItem {
  quantity restockType lineItem { id }
  subtotalSet { shopMoney { amount currencyCode } }
  totalTaxSet { shopMoney { amount currencyCode } }
}`}

	docRefundShipping = document{name: "RefundShipping", cost: 300, text: `
query RefundShipping($id: ID!, $after: String) {
  refund(id: $id) {
    refundShippingLines(first: 50, after: $after) { nodes { ...RefundShippingFields } pageInfo { hasNextPage endCursor } }
  }
}
fragment RefundShippingFields on RefundShippingLine {
  subtotalAmountSet { shopMoney { amount currencyCode } }
  taxAmountSet { shopMoney { amount currencyCode } }
}`}

	docRefundTransactions = document{name: "RefundTransactions", cost: 300, text: `
query RefundTransactions($id: ID!, $after: String) {
  refund(id: $id) {
    transactions(first: 50, after: $after) { nodes { ...TransactionFields } pageInfo { hasNextPage endCursor } }
  }
}` + transactionFields}

	docTransactions = document{name: "Transactions", cost: 610, text: `
query Transactions($id: ID!) {
  order(id: $id) { transactions(first: 200) { ...TransactionFields } }
}` + transactionFields}

	docRefundBasis = document{name: "RefundBasis", cost: 350, text: `
query RefundBasis($id: ID!) {
  order(id: $id) {
    id currencyCode presentmentCurrencyCode
    refunds(first: 250) { id note }
    transactionsCount { count }
    transactions(first: 10) { ...TransactionFields }
  }
}` + transactionFields}

	docPlaces = document{name: "Places", cost: 640, text: `
query Places($id: ID!) {
  order(id: $id) {
    fulfillmentOrders(first: 5) {
      nodes {
        assignedLocation { location { id } }
        lineItems(first: 20) { nodes { remainingQuantity lineItem { id } } pageInfo { hasNextPage endCursor } }
      }
      pageInfo { hasNextPage endCursor }
    }
    fulfillments(first: 5) {
      status location { id }
      fulfillmentLineItems(first: 20) { nodes { quantity lineItem { id } } pageInfo { hasNextPage endCursor } }
    }
  }
}`}

	docCancelState = document{name: "CancelState", cost: 40, text: `
query CancelState($id: ID!) {
  order(id: $id) { id cancelledAt transactionsCount { count } transactions(first: 10) { ...TransactionFields } }
}` + transactionFields}

	docCancelResult = document{name: "CancelResult", cost: 5, text: `
query CancelResult($id: ID!) {
  node(id: $id) { ... on OrderCancelJobResult { id done status errors { code field message } } }
}`}
)

var (
	docRefund = document{name: "CreateRefund", mutation: true, cost: 15, text: `
mutation CreateRefund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    refund { id }
    userErrors { field message }
  }
}`}

	docCancel = document{name: "CancelOrder", mutation: true, cost: 15, text: `
mutation CancelOrder($id: ID!, $reason: OrderCancelReason!, $restock: Boolean!, $refundMethod: OrderCancelRefundMethodInput, $note: String) {
  orderCancel(orderId: $id, reason: $reason, restock: $restock, refundMethod: $refundMethod, notifyCustomer: false, staffNote: $note) {
    jobResult { id done status errors { code field message } }
    orderCancelUserErrors { code field message }
  }
}`}
)
