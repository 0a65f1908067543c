package label

// outcomes are the verdicts on orders and on lines.
var outcomes = map[string]words{
	"currency_mismatch":        {"currency mismatch", "sai loại tiền tệ", "สกุลเงินไม่ตรงกัน"},
	"duplicate_settlement":     {"settled more than once", "thanh toán trùng", "ชำระซ้ำ"},
	"missing_in_store":         {"missing in the store", "không có trong cửa hàng", "ไม่พบในร้านค้า"},
	"refund_mismatch":          {"refund mismatch", "hoàn tiền không khớp", "ยอดคืนเงินไม่ตรงกัน"},
	"amount_differs":           {"amount differs", "lệch số tiền", "ยอดเงินไม่ตรงกัน"},
	"tax_variance":             {"withheld tax variance", "chênh lệch thuế khấu trừ", "ผลต่างภาษีหัก ณ ที่จ่าย"},
	"fee_variance":             {"fee variance", "chênh lệch phí", "ผลต่างค่าธรรมเนียม"},
	"missing_in_settlement":    {"missing in the settlement", "thiếu trong sao kê", "ไม่พบในใบแจ้งยอด"},
	"partially_settled":        {"partially settled", "đã thanh toán một phần", "ชำระแล้วบางส่วน"},
	"awaiting_release":         {"awaiting release", "chờ giải ngân", "รอปล่อยเงิน"},
	"matched_within_tolerance": {"matched within tolerance", "khớp trong ngưỡng cho phép", "ตรงกันในเกณฑ์ที่ยอมรับได้"},
	"matched":                  {"matched", "đã khớp", "ตรงกัน"},

	"suggested":    {"suggested match", "gợi ý khớp", "คู่ที่แนะนำ"},
	"ambiguous":    {"several could match", "khớp được với nhiều mục", "จับคู่ได้หลายรายการ"},
	"non_order":    {"belongs to no order", "không thuộc đơn hàng", "ไม่เกี่ยวกับคำสั่งซื้อ"},
	"unclassified": {"unclassified", "chưa phân loại", "ยังไม่จัดประเภท"},
}

// causes say why what came differs from what was expected.
var causes = map[string]words{
	"price":           {"price", "giá bán", "ราคาสินค้า"},
	"discount":        {"discount", "giảm giá", "ส่วนลด"},
	"shipping":        {"shipping charged", "phí vận chuyển thu của người mua", "ค่าจัดส่งที่เก็บจากผู้ซื้อ"},
	"tax":             {"tax charged", "thuế thu của người mua", "ภาษีที่เก็บจากผู้ซื้อ"},
	"commission":      {"commission", "phí hoa hồng", "ค่าคอมมิชชัน"},
	"payment_fee":     {"payment fee", "phí thanh toán", "ค่าธรรมเนียมการชำระเงิน"},
	"service_fee":     {"service fee", "phí dịch vụ", "ค่าบริการ"},
	"shipping_cost":   {"shipping cost", "chi phí vận chuyển", "ต้นทุนค่าจัดส่ง"},
	"withheld_tax":    {"tax withheld", "thuế khấu trừ", "ภาษีหัก ณ ที่จ่าย"},
	"refund":          {"refund", "hoàn tiền", "การคืนเงิน"},
	"chargeback":      {"chargeback", "bị đòi bồi hoàn", "ถูกเรียกเงินคืน"},
	"compensation":    {"compensation", "bồi thường", "เงินชดเชย"},
	"fx":              {"exchange rate", "chênh lệch tỷ giá", "ผลต่างอัตราแลกเปลี่ยน"},
	"duplicate":       {"paid more than once", "trả trùng", "จ่ายซ้ำ"},
	"not_yet_settled": {"not yet settled", "chưa thanh toán", "ยังไม่ได้ชำระ"},
	"rounding":        {"rounding", "làm tròn", "การปัดเศษ"},
	"unknown":         {"unknown", "không rõ nguyên nhân", "ไม่ทราบสาเหตุ"},
}

// workflowStates are what people have done about a finding.
var workflowStates = map[string]words{
	"new":         {"new", "mới", "ใหม่"},
	"in_review":   {"in review", "đang xem xét", "กำลังตรวจสอบ"},
	"claimed":     {"claimed", "đã khiếu nại", "ยื่นเรียกร้องแล้ว"},
	"accepted":    {"accepted", "đã chấp nhận", "ยอมรับแล้ว"},
	"written_off": {"written off", "đã xóa sổ", "ตัดบัญชีแล้ว"},
	"fixed":       {"fixed", "đã xử lý xong", "แก้ไขแล้ว"},
	"reopened":    {"reopened", "mở lại", "เปิดใหม่อีกครั้ง"},
}

// payoutOutcomes are the verdicts on payouts.
var payoutOutcomes = map[string]words{
	"open":       {"open", "đang mở", "ยังไม่ปิดรอบ"},
	"proven":     {"proven", "số liệu cân khớp", "พิสูจน์ยอดได้"},
	"not_proven": {"not proven", "số liệu không cân", "พิสูจน์ยอดไม่ได้"},
	"failed":     {"transfer failed", "chuyển tiền thất bại", "โอนไม่สำเร็จ"},
	"returned":   {"transfer returned", "tiền bị trả lại", "เงินถูกตีกลับ"},
	"superseded": {"superseded", "đã bị thay thế", "ถูกแทนที่แล้ว"},
}

// payoutStates are where payouts stand at the channel.
var payoutStates = map[string]words{
	"open":     {"open", "đang mở", "ยังไม่ปิดรอบ"},
	"closed":   {"closed", "đã chốt", "ปิดรอบแล้ว"},
	"paid":     {"paid", "đã chi trả", "จ่ายแล้ว"},
	"failed":   {"failed", "chuyển tiền thất bại", "โอนไม่สำเร็จ"},
	"returned": {"returned", "tiền bị trả lại", "เงินถูกตีกลับ"},
}

// deposits are the verdicts on what has come to the bank.
var deposits = map[string]words{
	"unseen":         {"not seen at the bank", "chưa thấy ở ngân hàng", "ยังไม่พบในบัญชีธนาคาร"},
	"matched":        {"matched", "đã khớp", "ตรงกัน"},
	"differs":        {"differs", "số tiền khác nhau", "ยอดต่างกัน"},
	"without_payout": {"without a payout", "không có kỳ thanh toán tương ứng", "ไม่มีรอบจ่ายเงินที่ตรงกัน"},
}

// parts lead from what was expected to what was paid.
var parts = map[string]words{
	"expected":            {"expected of the orders settled", "dự kiến của các đơn đã thanh toán", "ยอดที่คาดของคำสั่งซื้อที่ชำระแล้ว"},
	"variance":            {"difference", "chênh lệch", "ผลต่าง"},
	"orders_not_in_store": {"orders that are not in the store", "đơn không có trong cửa hàng", "คำสั่งซื้อที่ไม่พบในร้านค้า"},
	"non_order":           {"no order", "ngoài đơn hàng", "ไม่เกี่ยวกับคำสั่งซื้อ"},
	"reserve":             {"reserve", "tiền tạm giữ", "เงินสำรอง"},
	"unplaced_lines":      {"lines without a place", "dòng chưa xếp được", "รายการที่ยังจัดไม่ได้"},
	"opening":             {"opening balance", "số dư đầu kỳ", "ยอดยกมา"},
	"closing":             {"closing balance", "số dư cuối kỳ", "ยอดยกไป"},
	"selected":            {"lines asked for", "các dòng được hỏi", "รายการที่เลือก"},
	"prior_period":        {"news of closed months, beside the bridge", "phát sinh của kỳ đã khóa, ngoài bảng đối chiếu", "ข้อมูลใหม่ของงวดที่ปิดแล้ว (นอกยอดนี้)"},
	"proof_gap":           {"gap: what the lines do not prove", "phần chênh chưa giải trình được", "ส่วนต่างที่พิสูจน์ไม่ได้"},
	"paid":                {"paid", "đã chi trả", "จ่ายแล้ว"},
}
