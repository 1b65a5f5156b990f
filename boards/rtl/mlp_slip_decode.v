// SPDX-License-Identifier: MIT
// mlp_slip_decode - bytes of a line to frames, as RFC 1055 (SLIP) has them
//
// Golden model   boards/protocol.py: unslip
// Stream         in and out: a byte in the cycle in which valid is high; none can wait
// Latency        1 cycle
//
// END begins and ends every frame, so that noise between frames is a frame of its own. An escape
// that is no escape makes its frame bad, for whoever counts.

`default_nettype none

module mlp_slip_decode (
    input  wire       clk,
    input  wire       rst,              // synchronous, active high

    input  wire       in_valid,
    input  wire [7:0] in_data,

    output reg        out_valid,
    output reg        out_end,          // the frame ends: no byte
    output reg        out_bad,          // with out_end: it held an illegal escape
    output reg  [7:0] out_data
);

    localparam [7:0] END     = 8'hc0;
    localparam [7:0] ESC     = 8'hdb;
    localparam [7:0] ESC_END = 8'hdc;
    localparam [7:0] ESC_ESC = 8'hdd;

    reg  escaped;
    reg  bad;
    wire illegal = escaped && in_data != ESC_END && in_data != ESC_ESC;

    always @(posedge clk) begin
        if (rst)
            escaped <= 1'b0;
        else if (in_valid)
            escaped <= in_data == ESC && !escaped;
    end

    always @(posedge clk) begin
        if (rst)
            bad <= 1'b0;
        else if (in_valid)
            bad <= in_data != END && (bad || illegal);
    end

    always @(posedge clk) begin
        if (rst)
            out_valid <= 1'b0;
        else
            out_valid <= in_valid && (escaped || in_data != ESC);
    end

    always @(posedge clk) begin
        out_end  <= in_data == END;
        out_bad  <= bad || illegal;
        out_data <= !escaped ? in_data : in_data == ESC_END ? END : ESC;
    end

endmodule

`default_nettype wire
