// SPDX-License-Identifier: MIT
// mlp_link_reply - makes the frame that answers a request, from the result of the core
//
// Golden model   boards/protocol.py: reply
// Stream         answer: a status and a tag for each request; p: the result of a sample, a byte a
//                beat, taken for those whose status is 0; out: the bytes of a frame
//
// A frame is the tag, the digest, the network's ID, the class, N bytes of result, the status and a
// CRC-16; numbers of several bytes have their higher bytes first. Where there is no result, its
// bytes are 0. The status comes last, since a core that stops shows it only while its result is
// sent: NO_RESULT.

`default_nettype none

module mlp_link_reply #(
    parameter N         = 3,            // bytes of a result
    parameter CLASS_W   = 8             // bits of a class: 8 or 16
) (
    input  wire        clk,
    input  wire        rst,             // synchronous, active high

    input  wire        answer_valid,
    output wire        answer_ready,    // with the last byte of the frame
    input  wire [7:0]  answer_status,
    input  wire [7:0]  answer_tag,
    input  wire [15:0] answer_digest,
    input  wire [31:0] id,              // of the network: what the host holds it against

    input  wire        early,           // the result is none of this request
    input  wire        expired,         // or there is none
    input  wire        p_valid,
    output wire        p_ready,
    input  wire [7:0]  p_data,
    input  wire [CLASS_W-1:0] p_class,

    output wire        out_valid,
    input  wire        out_ready,
    output wire        out_last,
    output reg  [7:0]  out_data
);

    localparam integer FRAME    = 7 + CLASS_W/8 + N + 3;    // bytes: what goes before, N, what follows
    localparam integer STATUS   = FRAME - 3;            // their indices
    localparam integer CRC_HIGH = FRAME - 2;
    localparam integer CRC_LOW  = FRAME - 1;
    localparam integer LAST     = 6 + CLASS_W/8;        // that of the class's last byte
    localparam integer INDEX_W  = $clog2(FRAME);

    localparam [INDEX_W-1:0] TAG = 0, DIGEST_1 = 1, DIGEST_0 = 2, ID_3 = 3, ID_2 = 4, ID_1 = 5,
                             ID_0 = 6, CLASS = 7;
    localparam [7:0] NO_RESULT = 8'd3;

    reg  [INDEX_W-1:0] index;
    reg  [15:0]        crc;
    reg                failed;          // there was no whole result
    wire [15:0]        crc_next;

    wire computed    = answer_status == 8'd0;
    wire of_data   = index > LAST[INDEX_W-1:0] && index < STATUS[INDEX_W-1:0];
    wire of_result = computed && index >= CLASS && index < STATUS[INDEX_W-1:0];
    wire of_core   = computed && p_valid && !failed;
    wire given     = out_valid && out_ready;

    assign out_valid    = answer_valid && (p_valid || !of_result || expired || failed);
    assign out_last     = index == CRC_LOW[INDEX_W-1:0];
    assign answer_ready = given && out_last;
    assign p_ready      = given && of_result && of_data;

    mlp_crc16 u_crc (.crc(crc), .data(out_data), .next(crc_next));

    always @* begin
        case (index)
            TAG:      out_data = answer_tag;
            DIGEST_1: out_data = answer_digest[15:8];
            DIGEST_0: out_data = answer_digest[7:0];
            ID_3:     out_data = id[31:24];
            ID_2:     out_data = id[23:16];
            ID_1:     out_data = id[15:8];
            ID_0:     out_data = id[7:0];
            CLASS:    out_data = of_core ? p_class[CLASS_W-1 -: 8] : 8'd0;
            STATUS[INDEX_W-1:0]:   out_data = failed ? NO_RESULT : answer_status;
            CRC_HIGH[INDEX_W-1:0]: out_data = crc[15:8];
            CRC_LOW[INDEX_W-1:0]:  out_data = crc[7:0];
            default:  out_data = !of_core ? 8'd0 : of_data ? p_data : p_class[7:0];
        endcase
    end

    always @(posedge clk) begin
        if (rst || !answer_valid || (given && out_last))
            index <= TAG;
        else if (given)
            index <= index + 1'b1;
    end

    // The CRC stands still while it is itself sent.
    always @(posedge clk) begin
        if (rst || !answer_valid || (given && out_last))
            crc <= 16'hffff;
        else if (given && index < CRC_HIGH[INDEX_W-1:0])
            crc <= crc_next;
    end

    always @(posedge clk) begin
        if (rst || !answer_valid)
            failed <= 1'b0;
        else if (given && of_result && (early || !p_valid))
            failed <= 1'b1;
    end

endmodule

`default_nettype wire
