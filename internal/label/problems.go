package label

// titles say what happened, by the code of the problem. They are those that the report is answered
// with.
var titles = map[string]words{
	"unauthorized":      {"The request carries no valid token", "Yêu cầu không có mã truy cập hợp lệ", "คำขอไม่มีโทเค็นที่ใช้ได้"},
	"too_many_failures": {"Too many requests without a valid token came from this address", "Địa chỉ này đã gửi quá nhiều yêu cầu không có mã truy cập hợp lệ", "มีคำขอที่ไม่มีโทเค็นที่ใช้ได้จากที่อยู่นี้มากเกินไป"},
	"too_many_requests": {"There were too many requests", "Có quá nhiều yêu cầu", "มีคำขอมากเกินไป"},
	"scope_missing":     {"The token may not do this", "Mã truy cập không có quyền làm việc này", "โทเค็นไม่มีสิทธิ์ทำสิ่งนี้"},
	"bad_parameter":     {"A parameter is wrong", "Một tham số không đúng", "พารามิเตอร์ไม่ถูกต้อง"},
	"unmapped_category": {"A category has no account", "Có khoản mục chưa được gán tài khoản", "มีหมวดรายการที่ยังไม่ได้กำหนดบัญชี"},
	"unknown_account":   {"There is no such account", "Không có tài khoản này", "ไม่มีบัญชีนี้"},
	"snapshot_gone":     {"The report this page belongs to is not kept any more", "Báo cáo của trang này không còn được lưu", "รายงานของหน้านี้ไม่ได้เก็บไว้แล้ว"},
	"too_many_exports":  {"Too many exports are under way", "Có quá nhiều tệp xuất đang được xử lý", "มีการส่งออกที่กำลังทำอยู่มากเกินไป"},
	"export_not_done":   {"The export is not done", "Tệp xuất chưa hoàn tất", "การส่งออกยังไม่เสร็จ"},
	"not_available":     {"This is not set up here", "Chức năng này chưa được thiết lập", "ยังไม่ได้ตั้งค่าส่วนนี้ไว้"},
	"unavailable":       {"The bridge cannot answer now", "Hệ thống chưa thể trả lời lúc này", "ระบบยังตอบไม่ได้ในขณะนี้"},
	"internal":          {"Something went wrong inside", "Đã xảy ra lỗi bên trong hệ thống", "เกิดข้อผิดพลาดภายในระบบ"},
}

// details say why, where the text is always the same; the English one is the name.
var details = english(map[string]words{
	"It was changed, or made for other parameters or another token.":                      {vi: "Con trỏ đã bị thay đổi, hoặc được tạo cho tham số khác hay mã truy cập khác.", th: "เคอร์เซอร์ถูกแก้ไข หรือสร้างไว้สำหรับพารามิเตอร์หรือโทเค็นอื่น"},
	"Reports are kept for a quarter of an hour, and not many at once.":                    {vi: "Báo cáo chỉ được lưu mười lăm phút, và không lưu nhiều báo cáo cùng lúc.", th: "รายงานเก็บไว้เพียงสิบห้านาที และเก็บพร้อมกันได้ไม่มาก"},
	"As many exports of this token are made and kept as may be.":                          {vi: "Đã tạo và giữ số tệp xuất tối đa cho mã truy cập này.", th: "สร้างและเก็บไฟล์ส่งออกของโทเค็นนี้ครบจำนวนแล้ว"},
	"The query cannot be read.":                                                           {vi: "Không đọc được chuỗi truy vấn.", th: "อ่านสตริงคำค้นไม่ได้"},
	"This parameter is not known here.":                                                   {vi: "Tham số này không tồn tại ở đây.", th: "ไม่รู้จักพารามิเตอร์นี้"},
	"It has to be a short text.":                                                          {vi: "Giá trị phải là một đoạn văn bản ngắn.", th: "ค่าต้องเป็นข้อความสั้น ๆ"},
	"It is given too often.":                                                              {vi: "Tham số được lặp lại quá nhiều lần.", th: "ระบุพารามิเตอร์ซ้ำมากเกินไป"},
	"It is a number from 1 to 1000.":                                                      {vi: "Giá trị là một số từ 1 đến 1000.", th: "ค่าเป็นตัวเลขตั้งแต่ 1 ถึง 1000"},
	"A journal is of whole payouts.":                                                      {vi: "Sổ nhật ký lập theo cả kỳ chi trả.", th: "สมุดรายวันทำตามรอบจ่ายเงินทั้งรอบ"},
	"A file holds all rows.":                                                              {vi: "Tệp luôn chứa tất cả các dòng.", th: "ไฟล์มีทุกแถวอยู่แล้ว"},
	"A journal has columns of its own.":                                                   {vi: "Sổ nhật ký có các cột riêng.", th: "สมุดรายวันมีคอลัมน์ของตัวเอง"},
	"A workbook has every level with all its columns.":                                    {vi: "Bảng tính có mọi cấp với đầy đủ các cột.", th: "สมุดงานมีทุกระดับพร้อมทุกคอลัมน์"},
	"It is for format=csv only.":                                                          {vi: "Tham số này chỉ dùng với format=csv.", th: "ใช้ได้เฉพาะกับ format=csv"},
	"It is a code such as VND.":                                                           {vi: "Giá trị là một mã như VND.", th: "ค่าเป็นรหัส เช่น VND"},
	"It is no category of a payout's lines.":                                              {vi: "Đây không phải là khoản mục của dòng thanh toán.", th: "ไม่ใช่หมวดรายการของรอบจ่ายเงิน"},
	"It is an amount such as 1000 or 12.50, with no more decimals than the currency has.": {vi: "Giá trị là một số tiền như 1000 hoặc 12.50, với số chữ số thập phân không nhiều hơn của loại tiền.", th: "ค่าเป็นจำนวนเงิน เช่น 1000 หรือ 12.50 โดยมีทศนิยมไม่เกินของสกุลเงิน"},
	"There is no such payout, or another revision stands in its place.":                   {vi: "Không có kỳ thanh toán này, hoặc đã có bản phát hành khác thay thế.", th: "ไม่มีรอบจ่ายเงินนี้ หรือมีฉบับแก้ไขอื่นมาแทนที่แล้ว"},
	"The range ends before it begins; to is not part of it.":                              {vi: "Khoảng thời gian kết thúc trước khi bắt đầu; to không nằm trong khoảng.", th: "ช่วงเวลาสิ้นสุดก่อนเริ่ม โดยไม่นับ to รวมอยู่ในช่วง"},
	"It is the name of a zone such as Asia/Ho_Chi_Minh.":                                  {vi: "Giá trị là tên múi giờ như Asia/Ho_Chi_Minh.", th: "ค่าเป็นชื่อเขตเวลา เช่น Asia/Ho_Chi_Minh"},
	"It is a date such as 2026-11-01, or an instant such as 2026-11-01T00:00:00Z.":        {vi: "Giá trị là một ngày như 2026-11-01, hoặc một thời điểm như 2026-11-01T00:00:00Z.", th: "ค่าเป็นวันที่ เช่น 2026-11-01 หรือเวลา เช่น 2026-11-01T00:00:00Z"},
	"It is an instant such as 2026-11-01T00:00:00Z.":                                      {vi: "Giá trị là một thời điểm như 2026-11-01T00:00:00Z.", th: "ค่าเป็นเวลา เช่น 2026-11-01T00:00:00Z"},
	"It lies outside the years 1 to 9999.":                                                {vi: "Thời điểm này nằm ngoài khoảng từ năm 1 đến năm 9999.", th: "เวลานี้อยู่นอกช่วงปี 1 ถึง 9999"},
	"It lies in the future; nobody knows yet what will be known then.":                    {vi: "Thời điểm này ở tương lai; chưa ai biết khi đó sẽ có dữ liệu gì.", th: "เวลานี้อยู่ในอนาคต ยังไม่มีใครรู้ว่าเมื่อนั้นจะมีข้อมูลอะไร"},
	"This bridge keeps no payouts.":                                                       {vi: "Hệ thống này không lưu các kỳ thanh toán.", th: "ระบบนี้ไม่ได้เก็บรอบจ่ายเงิน"},
	"No account with payouts has this id.":                                                {vi: "Không có tài khoản nào có kỳ thanh toán mang mã này.", th: "ไม่มีบัญชีที่มีรอบจ่ายเงินใช้รหัสนี้"},
	"Until some time has passed only tokens that were accepted before are looked at.":     {vi: "Trong một thời gian, chỉ những mã truy cập từng được chấp nhận mới được xét.", th: "ในระยะหนึ่งจะตรวจเฉพาะโทเค็นที่เคยผ่านมาก่อนเท่านั้น"},
	"The token is missing, not known, expired or revoked.":                                {vi: "Mã truy cập bị thiếu, không tồn tại, đã hết hạn hoặc đã bị thu hồi.", th: "ไม่มีโทเค็น หรือโทเค็นไม่เป็นที่รู้จัก หมดอายุ หรือถูกเพิกถอน"},
	"It did not answer in time.":                                                          {vi: "Hệ thống không trả lời kịp thời gian.", th: "ระบบตอบไม่ทันเวลา"},
	"The reason stands in the bridge's log under the reference.":                          {vi: "Nguyên nhân nằm trong nhật ký của hệ thống theo mã tham chiếu.", th: "สาเหตุอยู่ในบันทึกของระบบตามรหัสอ้างอิง"},
})

// english fills the English text in, which is the name.
func english(all map[string]words) map[string]words {
	for text, w := range all {
		w.en = text
		all[text] = w
	}
	return all
}
