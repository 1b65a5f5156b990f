// SPDX-License-Identifier: MIT
// mlp_load - takes new weights, and holds samples back while they replace the old ones
//
//     frame = the bytes of all words, then their CRC-32, the lowest byte first
//
// Golden model   model/loading.py: frame
// Stream         in and out: arrivals of beats; s_load: a byte a beat, tlast ends the frame
// Latency        0 cycles for beats
//
// A frame goes to the bank that does not answer. Where its length or CRC is wrong it is `refused`.
// Where all is well beats are held back until no vector is in the layers or waits in front of them;
// then the banks change places, and it is `done`. Each is a pulse of one cycle. A reset forgets a
// frame that is not done; the bank that answers is like the memories: it stays, and is set at
// power-up alone.

`default_nettype none

module mlp_load #(
    parameter LOADABLE = 1              // 0: beats pass, nothing is loaded; 0 .. 1
) (
    input  wire        clk,
    input  wire        rst,             // synchronous, active high

    input  wire        s_load_tvalid,
    output wire        s_load_tready,
    input  wire        s_load_tlast,
    input  wire [7:0]  s_load_tdata,
    output wire        done,
    output wire        refused,

    output wire [10:0] load,            // bank, restart, write, byte: to every mlp_loadable_rom
    input  wire        full,            // the last of them has all its words

    input  wire        in_valid,
    output wire        in_ready,
    output wire        out_valid,
    input  wire        out_ready,

    input  wire        waits,           // a vector stands in front of the layers
    input  wire        enters,          // it enters the first
    input  wire        leaves           // one leaves the last
);

    // Of zlib, Ethernet and many others. What the register holds behind data and their CRC.
    localparam [31:0] POLYNOMIAL = 32'hEDB88320;
    localparam [31:0] RESIDUE    = 32'hDEBB20E3;

    // A layer holds at most 25 vectors, so 99 layers fewer than 4096.
    localparam COUNT_W = 12;

    generate
        if (LOADABLE != 0) begin : g_load
            reg               byte_valid, byte_last;
            reg [7:0]         value;
            reg [31:0]        crc, next;
            reg [2:0]         behind;           // bytes behind the words, 4 or more of which are 4
            reg               complete;         // the other bank waits to answer
            reg               bank, hold, is_done, is_refused;
            reg [COUNT_W-1:0] vectors;          // vectors in the layers

            wire ends    = byte_valid && byte_last;
            wire good    = behind == 3'd3 && next == RESIDUE;
            wire changes = complete && hold && !waits && vectors == {COUNT_W{1'b0}};

            assign s_load_tready = !ends && !complete;
            assign load          = {bank, ends || rst, byte_valid, value};
            assign done          = is_done;
            assign refused       = is_refused;

            assign out_valid = in_valid && !hold;
            assign in_ready  = out_ready && !hold;

            always @(posedge clk) begin
                if (rst)
                    byte_valid <= 1'b0;
                else
                    byte_valid <= s_load_tvalid && s_load_tready;
            end

            always @(posedge clk) begin
                byte_last <= s_load_tlast;
                value     <= s_load_tdata;
            end

            integer i;

            always @* begin
                next = crc ^ {24'd0, value};
                for (i = 0; i < 8; i = i + 1)
                    next = {1'b0, next[31:1]} ^ (next[0] ? POLYNOMIAL : 32'd0);
            end

            always @(posedge clk) begin
                if (rst || ends) begin
                    crc    <= ~32'd0;
                    behind <= 3'd0;
                end else if (byte_valid) begin
                    crc    <= next;
                    behind <= behind + {2'd0, full && !behind[2]};
                end
            end

            // What is offered stays offered: beats are held back from the first cycle in which none
            // waits to be taken.
            always @(posedge clk) begin
                if (rst) begin
                    complete   <= 1'b0;
                    hold       <= 1'b0;
                    vectors    <= {COUNT_W{1'b0}};
                    is_done    <= 1'b0;
                    is_refused <= 1'b0;
                end else begin
                    complete   <= complete ? !changes : ends && good;
                    hold       <= complete && !changes && (!out_valid || out_ready);
                    vectors    <= vectors + {{(COUNT_W-1){1'b0}}, enters}
                                          - {{(COUNT_W-1){1'b0}}, leaves};
                    is_done    <= changes;
                    is_refused <= ends && !good;
                end
            end

            initial
                bank = 1'b0;

            always @(posedge clk) begin
                if (changes && !rst)
                    bank <= !bank;
            end
        end else begin : g_none
            wire unused = &{1'b0, clk, rst, s_load_tvalid, s_load_tlast, s_load_tdata, full,
                            waits, enters, leaves};

            assign s_load_tready = 1'b0;
            assign load          = 11'd0;
            assign done          = 1'b0;
            assign refused       = 1'b0;

            assign out_valid = in_valid;
            assign in_ready  = out_ready;
        end
    endgenerate

endmodule

`default_nettype wire
