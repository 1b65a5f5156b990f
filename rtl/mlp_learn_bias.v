// SPDX-License-Identifier: MIT
// mlp_learn_bias - a row's bias: its code for the way forward, its master for the update
//
//     code    = master >>> (8 - frac)
//     master' = mlp_learn_update(master, d << frac): a bias has the input 1.0
//
// Golden model   model/learning/backprop.py: codes, update
// Latency        3 cycles from the row to the code; 5 to the new master, written in that cycle

`default_nettype none

module mlp_learn_bias #(
    parameter ROWS     = 4,             // masters, 1 or more
    parameter DROP_MIN = 6,             // fraction bits that an update drops, least
    parameter DROP_MAX = 11             // and most
) (
    input  wire                                                               clk,

    input  wire [(ROWS > 1 ? $clog2(ROWS) : 1)-1:0]                           row,
    input  wire [3:0]                                                         frac,     // a cycle later, 0 .. 8
    output reg  [15:0]                                                        code,     // 3 cycles after the row
    output wire [15:0]                                                        master,   // a cycle after the row
    input  wire [15:0]                                                        d,        // beside the master

    input  wire [DROP_MAX-1:0]                                                dither,   // 3 cycles after the row
    input  wire [(DROP_MAX > DROP_MIN ? $clog2(DROP_MAX-DROP_MIN+1) : 1)-1:0] drop,
    input  wire                                                               moves,    // 5 cycles after the row
    output wire                                                               clamps,   // beside moves: it saturated

    input  wire                                                               host_write,   // at this row, now
    input  wire [15:0]                                                        host_data
);

    localparam ROW_W = ROWS > 1 ? $clog2(ROWS) : 1;

    reg  [23:0] product_a, product;
    reg  [3:0]  frac_a;
    reg  [15:0] late_master;
    wire [15:0] next_master, moved;
    wire [ROW_W-1:0] next_row, moved_row;

    wire             write      = moves || host_write;
    wire [ROW_W-1:0] write_row  = host_write ? row : moved_row;
    wire [15:0]      write_data = host_write ? host_data : moved;

    always @(posedge clk) begin
        frac_a      <= frac;
        code        <= $unsigned($signed(next_master) >>> (4'd8 - frac_a));
        product_a   <= {{8{d[15]}}, d} << frac;
        product     <= product_a;
        late_master <= next_master;
    end

    mlp_delay #(.W(ROW_W), .CYCLES(1)) u_next_row (
        .clk(clk), .rst(1'b0), .en(1'b1), .in_data(row), .out_data(next_row)
    );

    mlp_delay #(.W(ROW_W), .CYCLES(4)) u_moved_row (
        .clk(clk), .rst(1'b0), .en(1'b1), .in_data(next_row), .out_data(moved_row)
    );

    mlp_learn_ram #(.WIDTH(16), .DEPTH(ROWS)) u_masters (
        .clk(clk), .write(write), .write_addr(write_row), .write_data(write_data), .addr(row),
        .data(master)
    );

    // The same once more: read again, a master needs no registers to wait in.
    mlp_learn_ram #(.WIDTH(16), .DEPTH(ROWS)) u_next_masters (
        .clk(clk), .write(write), .write_addr(write_row), .write_data(write_data),
        .addr(next_row), .data(next_master)
    );

    mlp_learn_update #(.M_W(16), .P_W(24), .DROP_MIN(DROP_MIN), .DROP_MAX(DROP_MAX)) u_update (
        .clk(clk), .en(1'b1), .in_master(late_master), .in_product(product), .in_dither(dither),
        .in_drop(drop), .out_master(moved), .out_clamps(clamps)
    );

endmodule

`default_nettype wire
