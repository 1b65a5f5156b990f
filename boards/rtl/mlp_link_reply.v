// SPDX-License-Identifier: MIT
// mlp_link_reply - makes the frame that answers a request, from the result of the core
//
// Golden model   boards/protocol.py: reply
// Stream         answer: a status and a tag for each request; p: the probabilities of a sample, a
//                byte a beat, taken for those whose status is 0; out: the bytes of a frame
//
// A frame is the tag, the status, the network's ID, the class, N probabilities and a CRC-16; the ID
// and the CRC have their higher bytes first. Where there is no result, its bytes are 0.

`default_nettype none

module mlp_link_reply #(
    parameter N         = 3,            // classes
    parameter [31:0] ID = 32'd0         // of the network: what the host holds it against
) (
    input  wire       clk,
    input  wire       rst,              // synchronous, active high

    input  wire       answer_valid,
    output wire       answer_ready,     // with the last byte of the frame
    input  wire [7:0] answer_status,
    input  wire [7:0] answer_tag,

    input  wire       p_valid,
    output wire       p_ready,
    input  wire [7:0] p_data,
    input  wire [7:0] p_class,

    output wire       out_valid,
    input  wire       out_ready,
    output wire       out_last,
    output reg  [7:0] out_data
);

    localparam integer FRAME    = 7 + N + 2;            // bytes: what goes before, N, the CRC
    localparam integer CRC_HIGH = FRAME - 2;            // their indices
    localparam integer CRC_LOW  = FRAME - 1;
    localparam integer INDEX_W  = $clog2(FRAME);

    localparam [INDEX_W-1:0] TAG = 0, STATUS = 1, ID_3 = 2, ID_2 = 3, ID_1 = 4, ID_0 = 5, CLASS = 6;

    reg  [INDEX_W-1:0] index;
    reg  [15:0]        crc;
    wire [15:0]        crc_next;

    wire computed    = answer_status == 8'd0;
    wire probability = index > CLASS && index < CRC_HIGH[INDEX_W-1:0];
    wire of_result   = computed && (probability || index == CLASS);
    wire given       = out_valid && out_ready;

    assign out_valid    = answer_valid && (p_valid || !of_result);
    assign out_last     = index == CRC_LOW[INDEX_W-1:0];
    assign answer_ready = given && out_last;
    assign p_ready      = given && of_result && probability;

    mlp_crc16 u_crc (.crc(crc), .data(out_data), .next(crc_next));

    always @* begin
        case (index)
            TAG:      out_data = answer_tag;
            STATUS:   out_data = answer_status;
            ID_3:     out_data = ID[31:24];
            ID_2:     out_data = ID[23:16];
            ID_1:     out_data = ID[15:8];
            ID_0:     out_data = ID[7:0];
            CLASS:    out_data = computed ? p_class : 8'd0;
            CRC_HIGH[INDEX_W-1:0]: out_data = crc[15:8];
            CRC_LOW[INDEX_W-1:0]:  out_data = crc[7:0];
            default:  out_data = computed ? p_data : 8'd0;
        endcase
    end

    always @(posedge clk) begin
        if (rst || (given && out_last))
            index <= TAG;
        else if (given)
            index <= index + 1'b1;
    end

    // The CRC stands still while it is itself sent.
    always @(posedge clk) begin
        if (rst || (given && out_last))
            crc <= 16'hffff;
        else if (given && index < CRC_HIGH[INDEX_W-1:0])
            crc <= crc_next;
    end

endmodule

`default_nettype wire
