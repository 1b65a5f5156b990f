// SPDX-License-Identifier: MIT
// mlp_uart_tx - bytes to a serial line: 8 data bits, no parity, 1 stop bit
//
// Golden model   boards/protocol.py, behind pyserial
// Stream         in: a byte a beat
// Throughput     10*CYCLES cycles per byte, back to back

`default_nettype none

module mlp_uart_tx #(
    parameter CYCLES = 104              // clock cycles of a bit, 2 or more
) (
    input  wire       clk,
    input  wire       rst,              // synchronous, active high

    input  wire       in_valid,
    output wire       in_ready,
    input  wire [7:0] in_data,

    output wire       tx                // idle high
);

    localparam COUNT_W = $clog2(CYCLES);

    localparam integer WHOLE   = CYCLES - 1;

    reg [9:0]         bits;             // start bit lowest; ones follow what has left
    reg [3:0]         left;             // bits that have not been sent whole
    reg [COUNT_W-1:0] count;            // cycles that the present bit still takes

    wire bit_ends = count == {COUNT_W{1'b0}};

    assign in_ready = left == 4'd0 || (left == 4'd1 && bit_ends);
    assign tx       = bits[0];

    always @(posedge clk) begin
        if (rst)
            bits <= 10'h3ff;
        else if (in_valid && in_ready)
            bits <= {1'b1, in_data, 1'b0};
        else if (bit_ends)
            bits <= {1'b1, bits[9:1]};
    end

    always @(posedge clk) begin
        if (rst)
            left <= 4'd0;
        else if (in_valid && in_ready)
            left <= 4'd10;
        else if (bit_ends && left != 4'd0)
            left <= left - 4'd1;
    end

    always @(posedge clk) begin
        if ((in_valid && in_ready) || bit_ends)
            count <= WHOLE[COUNT_W-1:0];
        else
            count <= count - 1'b1;
    end

    initial begin
        if (CYCLES < 2) begin
            $display("%m: CYCLES is %0d: need 2 or more", CYCLES);
            $finish;
        end
    end

endmodule

`default_nettype wire
