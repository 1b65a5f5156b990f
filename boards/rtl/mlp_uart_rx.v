// SPDX-License-Identifier: MIT
// mlp_uart_rx - a serial line to bytes: 8 data bits, no parity, 1 stop bit
//
// Golden model   boards/protocol.py, behind pyserial
// Stream         out: a byte in the cycle in which out_valid is high; it cannot wait
// Latency        the byte is there half a bit after its stop bit has begun
//
// Each bit is read in its middle, counted from the falling edge of the start bit. A start bit that
// is gone by its middle was noise; a byte whose stop bit is low is dropped.

`default_nettype none

module mlp_uart_rx #(
    parameter CYCLES = 104              // clock cycles of a bit, 8 or more
) (
    input  wire       clk,
    input  wire       rst,              // synchronous, active high

    input  wire       rx,               // idle high, of any phase to clk

    output reg        out_valid,
    output reg  [7:0] out_data
);

    localparam COUNT_W = $clog2(CYCLES);

    localparam integer WHOLE = CYCLES - 1;
    localparam integer HALF  = (CYCLES - 1) / 2;

    reg [1:0]         line;             // rx, two cycles for what is metastable to settle
    reg               busy;
    reg [COUNT_W-1:0] count;            // cycles to the middle of the next bit
    reg [3:0]         left;             // bits to come: start, data, stop

    wire middle = busy && count == {COUNT_W{1'b0}};
    wire noise  = left == 4'd10 && line[1];

    always @(posedge clk) begin
        if (rst)
            line <= 2'b11;
        else
            line <= {line[0], rx};
    end

    always @(posedge clk) begin
        if (rst)
            busy <= 1'b0;
        else if (!busy)
            busy <= !line[1];
        else if (middle && (noise || left == 4'd1))
            busy <= 1'b0;
    end

    always @(posedge clk) begin
        if (!busy)
            count <= HALF[COUNT_W-1:0];
        else if (middle)
            count <= WHOLE[COUNT_W-1:0];
        else
            count <= count - 1'b1;
    end

    always @(posedge clk) begin
        if (!busy)
            left <= 4'd10;
        else if (middle)
            left <= left - 4'd1;
    end

    always @(posedge clk) begin
        if (middle && left != 4'd1)
            out_data <= {line[1], out_data[7:1]};
    end

    always @(posedge clk) begin
        if (rst)
            out_valid <= 1'b0;
        else
            out_valid <= middle && left == 4'd1 && line[1];
    end

    initial begin
        if (CYCLES < 8) begin
            $display("%m: CYCLES is %0d: need 8 or more", CYCLES);
            $finish;
        end
    end

endmodule

`default_nettype wire
